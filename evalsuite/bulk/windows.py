"""Rows in windows: what is read, answered and written at once.

>>> for window in windows(rows, take, digest):
...     len(window.slots)
2048

A window ends by the rows alone, so that a second run has the same windows: batches are made of the
rows of one window, and int8 outputs depend on the other rows of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from evalsuite.bulk.rows import BadRow, Row, Rows
from evalsuite.bulk.take_texts import TextTaker

ROWS = 2048
CHARACTERS = 1 << 22  # of text and other columns


class Digest(Protocol):
    """What `hashlib` makes."""

    def update(self, data: bytes, /) -> None:
        """Add bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Usable:
    """A row with its texts.

    Attributes:
        fields: columns that are kept.
    """

    line: int
    texts: list[str]
    fields: dict[str, Any]


Window = list[Usable | BadRow]


def windows(rows: Rows, take: TextTaker, digest: Digest) -> Iterator[Window]:
    """The rows, in order; each is added to the digest."""
    window: list[Row | BadRow] = []
    size = 0
    for row in rows:
        shown = row.problem if isinstance(row, BadRow) else repr(row.fields)
        digest.update(f"{row.line} {shown}\n".encode("utf-8", "surrogatepass"))
        size += len(shown)
        window.append(row)
        if len(window) == ROWS or size >= CHARACTERS:
            yield _with_texts(window, take)
            window, size = [], 0
    if window:
        yield _with_texts(window, take)


def _with_texts(window: Sequence[Row | BadRow], take: TextTaker) -> Window:
    take.choose([row for row in window if isinstance(row, Row)])
    return [row if isinstance(row, BadRow) else _usable(row, take) for row in window]


def _usable(row: Row, take: TextTaker) -> Usable | BadRow:
    try:
        texts, fields = take(row)
    except ValueError as error:
        return BadRow(row.line, str(error))
    return Usable(row.line, texts, fields)
