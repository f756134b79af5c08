"""Open a table of any kind that is read, by the end of its name or as it is said.

>>> with open_rows("rows.csv.zst", Reading(roles=[("text",)])) as rows:
...     rows.columns
('text', 'label')
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from evalsuite.bulk.byte_stream import STDIN, ByteStream, opened
from evalsuite.bulk.journal import guarded
from evalsuite.bulk.read_parquet import Parquet
from evalsuite.bulk.read_text import Delimited, JsonLines, Lines, names_columns
from evalsuite.bulk.rows import Rows
from evalsuite.own.records import COMPRESSED

InputForm = Literal["lines", "csv", "tsv", "jsonl", "parquet"]
INPUT_FORMS: tuple[InputForm, ...] = get_args(InputForm)
_NO_ROOM = "parquet that is packed or piped is kept there; set TMPDIR to a folder with more room"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table is read.

    Attributes:
        form: default by the name; a name that says nothing, and standard input, are plain lines.
        columns: those that hold the texts, by name or by number from 1; default `roles`.
        roles: names of columns that are looked for, in order of preference.
    """

    form: InputForm | None = None
    columns: tuple[str, ...] = ()
    roles: Sequence[tuple[str, ...]] = ()

    @property
    def numbered(self) -> bool:
        """Whether columns are named by numbers, so that the file has no line of names."""
        return bool(self.columns) and all(column.isdecimal() for column in self.columns)


def form_of(name: str) -> str | None:
    """The kind of file that a name says, without what says how it is packed.

    >>> form_of("a/rows.csv.gz"), form_of("rows")
    ('csv', None)
    """
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    plain = [suffix for suffix in suffixes if suffix not in COMPRESSED]
    return plain[-1][1:] if plain else None


@contextmanager
def open_rows(file: str, reading: Reading) -> Iterator[Rows]:
    """An open table; `-` is standard input.

    Raises:
        DataError: it cannot be read.
        MalformedRowError: its line of names cannot be used, or it is something else than rows.
    """
    said = form_of(file) if file != STDIN else None
    form: str = reading.form or (said if said in INPUT_FORMS else "lines")
    with opened(file) as stream:
        if form == "parquet":
            with tempfile.TemporaryFile() as spool:  # it is read from its end
                whole = stream.size is not None and not stream.packed
                if not whole or not stream.lines.peek(4).startswith(b"PAR1"):
                    with guarded(tempfile.gettempdir(), _NO_ROOM):
                        shutil.copyfileobj(stream.lines, spool)
                        spool.flush()
                yield Parquet(stream.name, spool if spool.tell() else stream.raw)
            return
        yield _text_rows(stream, form, reading)


def _text_rows(stream: ByteStream, form: str, reading: Reading) -> Rows:
    if form == "jsonl":
        return JsonLines(stream)
    tabs = form == "tsv"
    if form == "lines" or (tabs and not reading.columns and not _header(stream, reading.roles)):
        return Lines(stream)
    return Delimited(stream, tabs=tabs, numbered=reading.numbered)


def _header(stream: ByteStream, roles: Sequence[tuple[str, ...]]) -> bool:
    """Whether the first line of TSV names its columns; without, it is read as plain lines are."""
    start = stream.lines.peek(1).removeprefix(b"\xef\xbb\xbf")
    first, _, _ = start.lstrip(b"\r\n").partition(b"\n")
    return names_columns(first.decode("utf-8", "replace"), roles)
