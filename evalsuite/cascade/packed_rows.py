"""The token ids of a row for models that split text in different ways.

>>> tokenizer = MemberTokenizers([first, second], longest=[64, 128])
>>> tokenizer.encode_batch(["It rains."])[0].ids
[0, 17, 5, 2, -1, 0, 871, 5, 2]

A predictor reads token ids. Where the members of a cascade have different tokenizers, a row is its
ids for the first member, a separator that is no id, its ids for the second one, and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Encoding, Tokenizer

SEPARATOR = -1


@dataclass(frozen=True, slots=True)
class Packed:
    """An encoded row; as an `Encoding` of `tokenizers`, with what a member does not read of it."""

    ids: list[int]
    overflowing: list[Encoding]


class MemberTokenizers:
    """Several tokenizers as one, as far as rows of one or two texts need it.

    Args:
        longest: tokens of the longest sequence that each member takes.
    """

    def __init__(self, tokenizers: Sequence[Tokenizer], longest: Sequence[int]) -> None:
        self.tokenizers, self.longest = tokenizers, longest

    def enable_truncation(self, max_length: int, **options: Any) -> None:
        """Cut sequences to what each member takes, and to `max_length`."""
        for tokenizer, longest in zip(self.tokenizers, self.longest, strict=True):
            tokenizer.enable_truncation(min(max_length, longest), **options)

    def no_truncation(self) -> None:
        """Cut nothing."""
        for tokenizer in self.tokenizers:
            tokenizer.no_truncation()

    def encode_batch(self, texts: Sequence[str | tuple[str, str]]) -> list[Packed]:
        """The ids of each row, for all members."""
        rows = zip(*(tokenizer.encode_batch(texts) for tokenizer in self.tokenizers), strict=True)
        return [
            Packed(
                packed([encoding.ids for encoding in row]),
                [more for encoding in row for more in encoding.overflowing],
            )
            for row in rows
        ]


def packed(parts: Sequence[Sequence[int]]) -> list[int]:
    """The ids for all members in one sequence.

    >>> packed([[0, 2], [0, 7, 2]])
    [0, 2, -1, 0, 7, 2]
    """
    found = list(parts[0])
    for part in parts[1:]:
        found += [SEPARATOR, *part]
    return found


def first_length(ids: Sequence[int]) -> int:
    """Tokens of a row for the first member, which reads every row; of one model, all of them.

    >>> first_length((0, 7, 2, -1, 0, 2)), first_length((0, 7, 2))
    (3, 3)
    """
    return list(ids).index(SEPARATOR) if SEPARATOR in ids else len(ids)


def part(ids: np.ndarray, place: int) -> np.ndarray:
    """The ids for one member, of a packed row without padding.

    >>> part(np.array([0, 2, -1, 0, 7, 2]), 1)
    array([0, 7, 2])
    """
    import numpy as np

    bounds = [-1, *np.flatnonzero(ids == SEPARATOR), len(ids)]
    return ids[bounds[place] + 1 : bounds[place + 1]]


def longest_packed(longest: Sequence[int]) -> int:
    """Tokens of the longest packed row, separators included."""
    return sum(longest) + len(longest) - 1
