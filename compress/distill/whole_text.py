"""Text that fits a student's length, in place of text that is cut.

A pair that is cut is no longer a translation: the halves that are left say different things.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from evalsuite import tokenization
from transfer.text.parallel_text import Choice, Row

_BATCH = 1024  # rows that are tokenized together


def no_longer(directory: Path, max_length: int, *, paired: bool, before: str = "") -> Choice:
    """A filter for rows, which are read as they are asked for.

    >>> fitting = no_longer(student, 24, paired=False)
    >>> list(fitting([("Es regnet.", "It rains."), ("word " * 50, "word " * 50)]))
    [('Es regnet.', 'It rains.')]

    Args:
        directory: of the model whose tokenizer counts.
        max_length: tokens of every side, special tokens counted.
        paired: whether the model reads both sides of a row as one text; they must fit together.
        before: a prefix of each side.
    """
    tokenizer = tokenization.load(directory)

    def tokens(rows: list[Row]) -> list[int]:
        """Of each row, or of its longest side."""
        if paired:
            both = [(row[0], row[-1]) for row in rows]  # a line counts as two such
            return [len(found) for found in tokenizer.encode_batch(both)]
        sides = [before + side for row in rows for side in row]
        counts = iter([len(found) for found in tokenizer.encode_batch(sides)])
        return [max(next(counts) for _ in row) for row in rows]

    def fitting(rows: Iterable[Row]) -> Iterator[Row]:
        left = iter(rows)
        while some := list(islice(left, _BATCH)):
            counted = zip(some, tokens(some), strict=True)
            yield from (row for row, count in counted if count <= max_length)

    return fitting
