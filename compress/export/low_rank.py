"""Smaller word embeddings: two factors of a low rank.

Rows in few bits are `transfer.precision.row_codes`.

>>> factors = factorize(table, rank=128, weights=frequencies(tokenizer, lines, len(table)))
>>> factors[0].shape, factors[1].shape
((250002, 128), (128, 768))

Tables are float32 `[pieces, width]`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from compress.trim import pieces
from transfer.precision.row_codes import ROWS

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def factorize(table: np.ndarray, rank: int, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`left [pieces, rank]` and `right [rank, width]`, whose product is nearest to the table.

    Nearest by the sum over rows of weight times squared error: the singular vectors of the rows
    scaled by the roots of their weights, as in Lan et al. (2020), who train such factors, and with
    weights Hsu et al. (2022). Every row, whatever its weight, then gets its nearest point.

    Args:
        weights: `[pieces]`, above 0; how often each occurs.
    """
    if not 1 <= rank <= table.shape[1]:
        raise ValueError(f"rank {rank}: the table is {table.shape[1]} wide")
    gram = np.zeros((table.shape[1],) * 2)
    for start in range(0, len(table), ROWS):
        rows = table[start : start + ROWS].astype(np.float64)
        gram += (rows * weights[start : start + ROWS, None]).T @ rows
    _, vectors = np.linalg.eigh(gram)  # rising
    right = np.ascontiguousarray(vectors[:, : -rank - 1 : -1].T.astype(np.float32))
    return table @ right.T, right


def frequencies(tokenizer: Tokenizer, lines: Iterable[str], size: int) -> np.ndarray:
    """How often each piece occurs, `[size]`.

    The tokens that start and end every sequence count once per line. 1 is added to all pieces,
    because any piece can occur.
    """
    texts = list(lines)
    counts = np.ones(size)
    for piece, times in pieces.count(tokenizer, texts)[0].items():
        counts[piece] += times
    counts[tokenizer.encode("").ids] += len(texts)
    return counts
