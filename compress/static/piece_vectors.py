"""What an encoder makes of each piece of its vocabulary that it reads alone.

>>> piece_vectors(model, tokenizer, pieces=30_000, pad_id=1, prefix="query: ").shape
(30000, 384)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from evalsuite import tokenization
from evalsuite.retrieval.sentences import Pooling
from transfer.loop.compute import resolve_compute
from transfer.text.teacher_vectors import embed

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_AT_ONCE = 2048


def piece_vectors(
    encoder: Any,
    tokenizer: Tokenizer,
    pieces: int,
    pad_id: int,
    *,
    prefix: str = "",
    pooling: Pooling = "mean",
    progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> np.ndarray:
    """The vector of `<s> prefix piece </s>` for each piece, unit length, fp32 `[pieces, width]`.

    Args:
        encoder: of transformers, without a head.
        pieces: rows of its word embeddings; ids from 0.
    """
    around = tokenization.template(tokenizer)
    before = [*around.before, *tokenizer.encode(prefix, add_special_tokens=False).ids]
    compute = resolve_compute("auto")  # these vectors are trained on, so bf16 is exact enough
    parts = []
    for start in range(0, pieces, _AT_ONCE):
        progress(start / pieces, f"piece {start:,} of {pieces:,}")
        ids = range(start, min(start + _AT_ONCE, pieces))
        rows = [[*before, piece, *around.after] for piece in ids]
        parts.append(embed(encoder, rows, pad_id, compute, pooling))
    return np.concatenate(parts)
