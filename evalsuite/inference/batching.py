"""Batches of similar length, filled by token count.

Padding everything to a fixed length spends most of the work on padding: real sentences are 20
to 40 tokens. Sorting by length and filling batches up to a token budget spends next to none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Batching:
    """What batches suit a predictor.

    Attributes:
        tokens: of a batch, padding included.
        multiple: what the lengths of batches are rounded up to.
        block: what they are rounded up to where it is no further than `multiple` off: kernels take
            a fixed number of tokens at a time, and what is just below it costs more.
    """

    tokens: int
    multiple: int = 1
    block: int = 1

    def widths(self, lengths: Sequence[int], most: int) -> list[int]:
        """Lengths rounded up, none beyond `most` for that.

        >>> Batching(1024, 8).widths([3, 8, 9, 30], 30)
        [8, 8, 16, 30]
        >>> Batching(512, 4, 16).widths([33, 38, 41, 45, 49], 512)
        [36, 40, 48, 48, 52]
        """
        return [max(length, min(most, self._width(length))) for length in lengths]

    def _width(self, length: int) -> int:
        width = -(-length // self.multiple) * self.multiple
        missing = -width % self.block
        return width + missing if missing <= self.multiple else width


ON_CPU = Batching(512)  # measured: docs/LOG.md
ON_GPU = Batching(16_384)  # not measured


def by_tokens(lengths: Sequence[int], max_tokens: int, max_sentences: int = 512) -> list[list[int]]:
    """Group indices so that no batch, once padded to its longest, exceeds `max_tokens`.

    >>> by_tokens([3, 9, 4, 8], max_tokens=18)
    [[1, 3], [2, 0]]

    Longest first, so that memory peaks at once rather than at the end. A single sequence longer
    than the budget gets a batch alone. Ties keep their order.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    batches: list[list[int]] = []
    current: list[int] = []
    longest = 0
    for index in order:
        if current and ((len(current) + 1) * longest > max_tokens or len(current) >= max_sentences):
            batches.append(current)
            current = []
        if not current:
            longest = lengths[index]
        current.append(index)
    if current:
        batches.append(current)
    return batches
