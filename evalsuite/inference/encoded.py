"""One sequence to run, as a format encodes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Encoded:
    """One sequence to run.

    Attributes:
        example: index of the example it comes from.
        ids: token ids, specials included.
        words: for each token, the index of the word it starts, or -1 (tagging only).
        spans: for each token, first and last + 1 character of the context it stands for, or
            (-1, -1) (spans only).
        cut: whether text is left out that did not fit.
    """

    example: int
    ids: list[int]
    words: list[int] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    cut: bool = False


def rows_cut(encoded: Iterable[Encoded]) -> int:
    """Of how many examples text is left out.

    >>> rows_cut([Encoded(0, [0, 7, 2], cut=True), Encoded(0, [0, 8, 2], cut=True)])
    1
    """
    return len({item.example for item in encoded if item.cut})
