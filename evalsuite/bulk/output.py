"""Where answers go and in which form: a file under its final name, or standard output.

>>> with open_output(Path("out.csv.gz"), None, TABLES) as output:
...     output.form, output.suffix
('csv', '.gz')
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.bulk.encode_arrow import ArrowEncoder, to_parquet
from evalsuite.bulk.encode_text import DelimitedEncoder, Encoder, JsonLinesEncoder
from evalsuite.bulk.encode_vectors import NumpyEncoder, write_header
from evalsuite.bulk.journal import Journal, Sink, StreamSink, packed, written_out
from evalsuite.bulk.open_rows import form_of
from evalsuite.errors import DataError
from evalsuite.own.records import COMPRESSED

TABLES = ("jsonl", "csv", "tsv", "parquet")
VECTORS = ("jsonl", "npy", "parquet")
_WHOLE = ("parquet", "npy")  # forms that are written when all rows are there
_WAITING = (
    "rows for standard output wait there until all are answered; set TMPDIR to a folder with more "
    "room, or name a file: --output FILE"
)


@dataclass(frozen=True, slots=True)
class Output:
    """An open output.

    Attributes:
        form: one of those allowed.
        suffix: `.gz`, `.zst` or empty.
    """

    form: str
    suffix: str
    sink: Sink

    def encoder(self, columns: Sequence[str] | None, schema: Any, width: int) -> Encoder:
        """What turns rows into its bytes.

        Args:
            columns, schema: of the input, see `Rows`.
            width: of a vector, where there are vectors.
        """
        if self.form == "npy":
            return NumpyEncoder(width)
        if self.form == "parquet":
            return ArrowEncoder(columns, schema)
        if self.form == "jsonl":
            return JsonLinesEncoder()
        return DelimitedEncoder(columns, "\t" if self.form == "tsv" else ",")

    def publish(self, width: int) -> None:
        """Give a file its final name, now that all rows are in it.

        Raises:
            DataError: the system refuses to write it.
        """
        if isinstance(self.sink, Journal):
            with self.sink.guard():
                self.sink.publish(self._whole(self.sink.partial, width))

    def _whole(self, rows: Path, width: int) -> Path:
        """A file of the form, made of the rows so far; where it is the same, that file."""
        if self.form == "parquet":
            whole = rows.with_name(rows.name + ".parquet")
            to_parquet(rows, whole)
            return whole
        if self.form == "npy":
            write_header(rows, width)
        return packed(rows, self.suffix) if self.suffix else rows

    def discard(self) -> None:
        """Remove what was written."""
        if isinstance(self.sink, Journal):
            self.sink.discard()


@contextmanager
def open_output(path: Path | None, asked: str | None, allowed: Sequence[str]) -> Iterator[Output]:
    """An open output; None is standard output.

    Args:
        asked: the form; default by the name, also of a file that standard output goes to; else
            JSON lines on standard output.

    Raises:
        DataError: the name says no form that is allowed, or see `Journal`.
    """
    named = path or _redirected()
    form, suffix = _form(path, named, asked, allowed)
    if path is None and form not in _WHOLE and not suffix:
        yield Output(form, suffix, StreamSink())
        return
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(path) if path else Journal(Path(folder, "out"), _WAITING)
        try:
            yield Output(form, suffix, journal)
        finally:
            journal.close()
        if path is None and journal.path.is_file():
            with journal.path.open("rb") as file, written_out():
                shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.buffer.flush()


def _form(
    path: Path | None, named: Path | None, asked: str | None, allowed: Sequence[str]
) -> tuple[str, str]:
    said = form_of(named.name) if named else None
    suffix = named.suffix.lower() if named and named.suffix.lower() in COMPRESSED else ""
    form = asked or (said if said in allowed else None)
    if form is None and path is None:
        form = "jsonl"
    if form is None or form not in allowed:
        raise DataError(
            f"{path or '--to'}: cannot write {form or 'this kind of file'}; it can be: "
            f"{', '.join(allowed)}\nby the end of the name, or with --to"
        )
    if suffix and form in _WHOLE:
        raise DataError(f"{named}: a {form} file is not compressed as a whole; leave out {suffix}")
    return form, suffix


def _redirected() -> Path | None:
    """The file that standard output goes to, where the system says which: `> vectors.npy`."""
    try:
        return Path(f"/proc/self/fd/{sys.stdout.fileno()}").readlink()
    except (OSError, ValueError, AttributeError):
        return None
