"""Batches of fixed shapes, filled with real tokens.

>>> batch([[0, 5, 2], [0, 6, 7, 2]], rows=2, length=4)
[[0, 5, 2, 0], [6, 7, 2, 0]]
>>> shapes((1, 8), (16, 600), longest=512)
[(1, 16), (8, 16)]

No token of a cell is padding, so that a cell costs what its shape costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, cycle, islice

BATCH_SIZES = (1, 8, 32)
LENGTHS = (16, 32, 64, 128)


def shapes(
    batch_sizes: Sequence[int], lengths: Sequence[int], longest: int
) -> list[tuple[int, int]]:
    """(batch, length) of every cell the model takes, smallest length first."""
    wanted = sorted({length for length in lengths if length <= longest})
    return [(size, length) for length in wanted for size in sorted(set(batch_sizes))]


def batch(sequences: Sequence[Sequence[int]], rows: int, length: int) -> list[list[int]]:
    """Rows cut one after the other from the sentences put end to end, over and over."""
    tokens = cycle(chain.from_iterable(sequences))
    return [list(islice(tokens, length)) for _ in range(rows)]
