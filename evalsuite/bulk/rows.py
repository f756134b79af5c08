"""A row that was read, and one that was not.

>>> Row(2, {"text": "It rains."}).fields["text"]
'It rains.'
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from evalsuite.bulk.byte_stream import STDIN_NAME
from evalsuite.data.decoded import OTHERS_ARE, conversion
from evalsuite.errors import MalformedRowError


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        line: where it begins in its file, from 1; in parquet its number.
        fields: column -> value.
    """

    line: int
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read or answered, and why; the rows after it can.

    Attributes:
        coded: its bytes are in another encoding than UTF-8, and so may be the whole file.
    """

    line: int
    problem: str
    coded: bool = False

    def error(self, name: str, *, utf8: bool = False) -> MalformedRowError:
        """The error where the row ends the run.

        Args:
            name: of the file.
            utf8: other rows of it are UTF-8; to convert the file would spoil them.
        """
        remedy = OTHERS_ARE if utf8 else converted(name)
        problem = f"{self.problem}; {remedy}" if self.coded else self.problem
        return MalformedRowError(name, self.line, problem)


def converted(name: str) -> str:
    """What to do with an input that is not UTF-8: a file, or standard input.

    >>> converted("standard input")
    'convert it: iconv -f <encoding> -t utf-8'
    """
    return conversion("" if name == STDIN_NAME else Path(name).name)


class Rows(Protocol):
    """An open table.

    Attributes:
        name: of the file, for messages.
        columns: names of the columns; None where each row names its own.
        schema: Arrow schema of the columns; None where they are text.
    """

    name: str
    columns: tuple[str, ...] | None
    schema: Any

    def __iter__(self) -> Iterator[Row | BadRow]:
        """All rows in order, read as they are asked for."""
        ...

    def utf8(self) -> bool:
        """Whether text beyond ASCII was read as UTF-8 so far."""
        ...

    def done(self) -> float | None:
        """The share of the input that was read, 0 to 1; None where its size is not known."""
        ...
