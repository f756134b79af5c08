"""Rows of text, one at a time: plain lines, CSV, TSV and JSON lines.

>>> for row in Delimited(stream, tabs=False, numbered=False):
...     row.line, row.fields
(2, {'text': 'It rains.', 'label': 'weather'})

A row that cannot be read is a `BadRow`, and reading goes on after it. Blank lines are passed over,
except among plain lines, where each line is a row.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from evalsuite.bulk.byte_stream import ByteStream
from evalsuite.bulk.rows import BadRow, Row
from evalsuite.data.csv_reader import csv_reader
from evalsuite.data.csv_separator import separator
from evalsuite.data.json_text import parse
from evalsuite.errors import MalformedRowError
from evalsuite.own.records import tab_fields

LONGEST = 1 << 24  # bytes of a line
LINE = "line"  # the one column of plain lines


class TextLines:
    """Numbered lines of a stream, without their ends and without a byte-order mark.

    Attributes:
        number: of the line given last.
        problem: of that line, where it cannot be used.
    """

    def __init__(self, stream: ByteStream) -> None:
        self.stream, self.number, self.problem = stream, 0, ""
        self._beyond_ascii = False

    def utf8(self) -> bool:
        """Whether a line beyond ASCII was read as UTF-8."""
        return self._beyond_ascii

    def bad(self) -> BadRow:
        """The last line, as a row with the reason why it cannot be read."""
        return bad_row(self.number, self.problem)

    def __iter__(self) -> Iterator[str]:
        read = self.stream.lines.readline
        while raw := read(LONGEST):
            self.number += 1
            if self.number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            self.problem = ""
            if len(raw) == LONGEST and not raw.endswith(b"\n"):
                while (rest := read(LONGEST)) and not rest.endswith(b"\n"):
                    pass
                raw, self.problem = b"?", f"the line is longer than {LONGEST >> 20} MiB"
            yield self._decoded(raw)

    def _decoded(self, raw: bytes) -> str:
        if b"\0" in raw:
            self.problem = "a NUL byte; the file is damaged or not UTF-8 text"
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            self.problem = not_utf8(error)
            return raw.decode("utf-8", "replace")
        self._beyond_ascii = self._beyond_ascii or not text.isascii()
        return text


class _ByLine:
    """A file that is read line by line."""

    schema = None

    def __init__(self, stream: ByteStream) -> None:
        self.name, self.done = stream.name, stream.done
        self._lines = TextLines(stream)
        self.utf8 = self._lines.utf8


class Lines(_ByLine):
    """Plain lines, whatever they hold."""

    columns: tuple[str, ...] | None = (LINE,)

    def __iter__(self) -> Iterator[Row | BadRow]:
        lines = self._lines
        for line in lines:
            if lines.problem:
                yield lines.bad()
            else:
                yield Row(lines.number, {LINE: line.rstrip("\n").removesuffix("\r")})


class Delimited:
    """CSV with quotation marks as RFC 4180 defines them, or TSV; the first line names the columns.

    Columns of CSV are separated by commas or semicolons (`separator`).

    Args:
        numbered: there is no line of names; columns are called `1`, `2` and so on.
    """

    schema = None

    def __init__(self, stream: ByteStream, *, tabs: bool, numbered: bool) -> None:
        self.name, self.done = stream.name, stream.done
        self._lines = TextLines(stream)
        self.utf8 = self._lines.utf8
        self._rows = self._tabs() if tabs else self._csv(named=not numbered)
        first = next(self._rows, None)
        if isinstance(first, BadRow):
            raise first.error(self.name, utf8=self.utf8())
        self.columns: tuple[str, ...] | None = ()
        if first is None:
            return
        line, fields = first
        self.columns = tuple(fields)
        if numbered:
            self.columns = tuple(str(number) for number in range(1, len(fields) + 1))
            self._rows = chain([first], self._rows)
        else:
            check_once(self.name, line, fields)

    def __iter__(self) -> Iterator[Row | BadRow]:
        names = self.columns or ()
        for row in self._rows:
            if isinstance(row, BadRow):
                yield row
                continue
            line, fields = row
            if len(fields) == len(names):
                yield Row(line, dict(zip(names, fields, strict=True)))
            else:
                problem = f"{len(fields)} columns where {len(names)} are expected"
                yield BadRow(line, problem)

    def _tabs(self) -> Iterator[tuple[int, list[str]] | BadRow]:
        lines = self._lines
        for line in lines:
            if lines.problem:
                yield lines.bad()
            elif line.strip() or "\t" in line:  # cells that are all empty are a row
                yield lines.number, tab_fields(line.rstrip("\n"))

    def _csv(self, *, named: bool) -> Iterator[tuple[int, list[str]] | BadRow]:
        """Rows of CSV; the first lines decide what separates the columns."""
        lines = _Ahead(self._lines)
        mark = separator(lines.look(), named=named)
        reader = csv_reader(lines, strict=True, delimiter=mark)
        while True:
            first, lines.problem = lines.number + 1, ""
            try:
                fields = next(reader, None)
            except csv.Error as error:
                yield BadRow(first, f"not a row of CSV: {error}")
                continue
            if fields is None:
                return
            if lines.problem:
                yield bad_row(first, lines.problem)
            elif fields:
                yield first, fields


class _Ahead:
    """Lines of which the first are looked at before they are read.

    Attributes:
        number: of the line read last.
        problem: the first one of the lines read, until it is set to "".
    """

    def __init__(self, lines: TextLines) -> None:
        self.number, self.problem = 0, ""
        self._lines = lines
        self._seen: deque[tuple[int, str, str]] = deque()

    def look(self) -> Iterator[str]:
        """The next lines, which stay to be read."""
        for line in self._lines:
            self._seen.append((self._lines.number, line, self._lines.problem))
            yield line

    def __iter__(self) -> Iterator[str]:
        while self._seen:
            self.number, line, problem = self._seen.popleft()
            self.problem = self.problem or problem
            yield line
        for line in self._lines:
            self.number, self.problem = self._lines.number, self.problem or self._lines.problem
            yield line


class JsonLines(_ByLine):
    """A JSON object per line; each names its columns."""

    columns: tuple[str, ...] | None = None

    def __iter__(self) -> Iterator[Row | BadRow]:
        lines = self._lines
        for line in lines:
            if lines.problem:
                yield lines.bad()
            elif line.strip():
                yield self._row(lines.number, line)

    def _row(self, number: int, line: str) -> Row | BadRow:
        try:
            found: Any = parse(Path(self.name), number, line)
        except MalformedRowError as error:
            return BadRow(number, error.problem)
        if not isinstance(found, dict):
            return BadRow(number, "not a JSON object with the columns as its keys")
        return Row(number, found)


def check_once(file: str, line: int, names: Sequence[str]) -> None:
    """Refuse a table in which two columns have one name.

    Raises:
        MalformedRowError: two have.
    """
    if twice := sorted({name for name in names if names.count(name) > 1}):
        problem = f"two columns have the name {twice[0]!r}; give each one name"
        raise MalformedRowError(file, line, problem)


_NOT_UTF8 = "not UTF-8"


def not_utf8(error: UnicodeDecodeError) -> str:
    """What is wrong with bytes: the first one that UTF-8 does not have."""
    return f"{_NOT_UTF8} (byte 0x{error.object[error.start]:02x})"


def bad_row(line: int, problem: str) -> BadRow:
    """A row for a line that `TextLines` could not read, with the reason."""
    return BadRow(line, problem, coded=problem.startswith(_NOT_UTF8))


def stored_text(column: str, value: Any) -> Any:
    """A value; text that some writers of parquet store as bytes is text.

    >>> stored_text("text", "é".encode()), stored_text("n", 7)
    ('é', 7)

    Raises:
        ValueError: bytes that are not UTF-8.
    """
    try:
        return value.decode("utf-8") if isinstance(value, bytes) else value
    except UnicodeDecodeError as error:
        raise ValueError(f"column {column!r}: {not_utf8(error)}") from None


def names_columns(line: str, roles: Sequence[Sequence[str]]) -> bool:
    r"""Whether a line of a TSV file names the columns that are looked for, in whatever case.

    >>> names_columns("text\tlabel", [("text",)])
    True
    """
    fields = {field.lower() for field in tab_fields(line.rstrip("\n"))}
    return any(set(names) <= fields for names in roles)
