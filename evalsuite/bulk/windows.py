"""Rows in windows: what is read, answered and written at once.

>>> for window in windows(rows, take, digest):
...     len(window.slots)
2048

A window ends by the rows alone, so that a second run has the same windows: batches are made of the
rows of one window, and int8 outputs depend on the other rows of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from evalsuite.bulk.rows import BadRow, Row, Rows
from evalsuite.bulk.take_texts import Taken

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


def windows(rows: Rows, take: Callable[[Row], Taken], digest: Digest) -> Iterator[Window]:
    """The rows, in order; each is added to the digest."""
    window: Window = []
    size = 0
    for row in rows:
        shown = row.problem if isinstance(row, BadRow) else repr(row.fields)
        digest.update(f"{row.line} {shown}\n".encode("utf-8", "surrogatepass"))
        size += len(shown)
        window.append(row if isinstance(row, BadRow) else _usable(row, take))
        if len(window) == ROWS or size >= CHARACTERS:
            yield window
            window, size = [], 0
    if window:
        yield window


def _usable(row: Row, take: Callable[[Row], Taken]) -> Usable | BadRow:
    try:
        texts, fields = take(row)
    except ValueError as error:
        return BadRow(row.line, str(error))
    return Usable(row.line, texts, fields)
