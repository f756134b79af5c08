"""One sequence to run, as a format encodes it."""

from __future__ import annotations

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
    """

    example: int
    ids: list[int]
    words: list[int] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
