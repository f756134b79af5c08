"""Rows of a table file: CSV, TSV, JSON lines or parquet, plain or compressed.

>>> for record in records(Path("train.csv"), ("text", "label")):
...     record.line, record.fields["text"], record.fields["label"]
(2, 'It rains.', 'weather')

The form is read from the name: `.csv`, `.tsv` (and `.txt`), `.jsonl`, `.parquet`, with `.gz` or
`.zst` after it. A first line that names its columns is expected where columns are asked for by
name; columns asked for by number (1 is the first) are those of a file without such a line.
CSV has quotation marks as RFC 4180 defines them, and commas or, as some spreadsheets write it,
semicolons between columns. In TSV a field may be wrapped in quotation marks,
as Python's `csv` writes it; a mark elsewhere is text.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.data.csv_reader import csv_reader
from evalsuite.data.csv_separator import separator
from evalsuite.data.decoded import decoded
from evalsuite.data.json_text import parse
from evalsuite.data.mistaken import mistaken
from evalsuite.data.unzstd import unpacked
from evalsuite.errors import DataError, MalformedRowError

Column = str | int  # the name, or the number from 1
FORMS = {".csv": "csv", ".tsv": "tsv", ".txt": "tsv", ".jsonl": "json", ".parquet": "parquet"}
BLANK = "blank line"  # why a line of a file is no row
COMPRESSED = (".gz", ".zst")
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"  # first bytes
_HEAD = 4096
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")


@dataclass(frozen=True, slots=True)
class Record:
    """One row.

    Attributes:
        line: where it begins in its file, from 1; in parquet its number.
        fields: column -> text as it stands there, the empty text where there is none.
    """

    line: int
    fields: dict[Column, str]


def form(path: Path) -> str:
    """What kind of file the name says it is: csv, tsv, json or parquet.

    >>> form(Path("a/train.csv.gz"))
    'csv'

    Raises:
        DataError: the name says none of these.
    """
    suffixes = [suffix for suffix in path.suffixes if suffix.lower() not in COMPRESSED]
    found = FORMS.get(suffixes[-1].lower()) if suffixes else None
    if found is None:
        raise DataError(
            f"{path}: the name does not say what kind of file it is; it can end in "
            f"{', '.join(FORMS)}, then {' or '.join(COMPRESSED)} where it is compressed"
        )
    return found


def records(
    path: Path,
    columns: Sequence[Column],
    optional: Sequence[Column] = (),
    skipped: Counter[str] | None = None,
) -> Iterator[Record]:
    """All rows of a file, with at least these columns; blank lines are passed over.

    Args:
        optional: columns that are read too where the file has them.
        skipped: counts the blank lines between rows.

    Raises:
        DataError: there is no such file, it cannot be read, or has an unknown kind.
        MalformedRowError: a column or a field is absent; names file and line.
    """
    kind = form(path)
    if kind == "parquet":
        yield from _parquet(path, columns, optional)
        return
    text = content(path)
    blank: Counter[str] = Counter() if skipped is None else skipped
    if kind == "json":
        yield from _json(path, text, columns, optional, blank)
    else:
        yield from _delimited(path, text, columns, optional, blank, tabs=kind == "tsv")


def content(path: Path) -> str:
    """The text of a file, unpacked where it is compressed, without a byte-order mark.

    Raises:
        DataError: there is no such file, or it cannot be read or unpacked.
        MalformedRowError: it is not UTF-8, or has NUL bytes, or is empty.
    """
    return decoded(path, raw_content(path))


def raw_content(path: Path) -> bytes:
    """The bytes of a file, unpacked where it is compressed.

    Raises:
        DataError: there is no such file, or it cannot be read or unpacked.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}") from None
    return _unpacked(path, raw)


def without_compression(path: Path) -> Path:
    """The name of a file without the `.gz` or `.zst` at its end.

    >>> without_compression(Path("train.json.zst"))
    PosixPath('train.json')
    """
    return path.with_suffix("") if path.suffix.lower() in COMPRESSED else path


def _unpacked(path: Path, raw: bytes) -> bytes:
    """Unpacked by what the bytes are, whatever the name says."""
    import zstandard

    try:
        if raw.startswith(_GZIP):
            return gzip.decompress(raw)
        if raw.startswith(_ZSTD):
            return b"".join(unpacked(io.BytesIO(raw).read))
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise DataError(f"{path} is compressed, and damaged: {error}") from None
    return raw


def _delimited(
    path: Path,
    text: str,
    columns: Sequence[Column],
    optional: Sequence[Column],
    skipped: Counter[str],
    *,
    tabs: bool,
) -> Iterator[Record]:
    numbered = any(isinstance(column, int) for column in columns)
    rows: Iterator[tuple[int, list[str]]]
    if tabs:
        rows = ((line, tab_fields(shown)) for line, shown in _lines(text, skipped))
    else:
        rows = _csv_rows(path, text, skipped, named=not numbered)
    names: list[Column] = []
    for line, fields in rows:
        if not names:
            names = [*range(1, len(fields) + 1)] if numbered else [*fields]
            _check_columns(path, line, columns, names)
            _check_once(path, line, (*columns, *optional), names)
            if not numbered:
                continue
        if len(fields) != len(names):
            raise MalformedRowError(
                path, line, f"{len(fields)} columns where {len(names)} are expected"
            )
        yield Record(line, dict(zip(names, fields, strict=True)))


def _lines(text: str, skipped: Counter[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, without blank ones."""
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        if line.strip() or "\t" in line:  # fields that are all empty are a row
            yield number, line
        else:
            skipped[BLANK] += 1


def _csv_rows(
    path: Path, text: str, skipped: Counter[str], *, named: bool
) -> Iterator[tuple[int, list[str]]]:
    mark = separator(_first_lines(text), named=named)
    reader = csv_reader(io.StringIO(text, newline=""), strict=True, delimiter=mark)
    line = 1
    try:
        for fields in reader:
            if len(fields) > 1 or any(field.strip() for field in fields):
                yield line, fields
            else:
                skipped[BLANK] += 1
            line = reader.line_num + 1
    except csv.Error as error:
        raise MalformedRowError(path, line, f"not a row of CSV: {error}") from None


def _first_lines(text: str) -> Iterator[str]:
    return (found[0] for found in _LINE.finditer(text))


def tab_fields(line: str) -> list[str]:
    """The fields of a line of TSV, as they were before they were wrapped in quotation marks."""
    return [_unwrapped(field) for field in line.removesuffix("\r").split("\t")]


def _unwrapped(field: str) -> str:
    """A field as it was before Python's `csv` wrapped it: quotation marks inside are doubled."""
    inside = field[1:-1]
    if len(field) < 2 or field[0] != '"' or field[-1] != '"' or '"' in inside.replace('""', ""):
        return field
    return inside.replace('""', '"') if '""' in inside else field


def _json(
    path: Path,
    text: str,
    columns: Sequence[Column],
    optional: Sequence[Column],
    skipped: Counter[str],
) -> Iterator[Record]:
    first: dict[Column, bool] = {}  # whether the first row has an optional column
    at = 0
    for line, shown in _lines(text, skipped):
        row = parse(path, line, shown)
        if not isinstance(row, dict):
            raise MalformedRowError(path, line, "not a JSON object with the columns as its keys")
        _check_columns(path, line, columns, [*row])
        if not at:
            at, first = line, {column: column in row for column in optional}
        for column, there in first.items():
            if (column in row) != there:
                said = (
                    f"no {column!r}, which line {at} has"
                    if there
                    else (f"{column!r}, which line {at} does not have")
                )
                raise MalformedRowError(path, line, f"{said}; give it in all rows or in none")
        yield Record(line, {name: as_text(value) for name, value in row.items()})


def _parquet(path: Path, columns: Sequence[Column], optional: Sequence[Column]) -> Iterator[Record]:
    import pyarrow

    file = _open_parquet(path)
    names = file.schema_arrow.names
    _check_columns(path, 1, columns, names)
    _check_once(path, 1, (*columns, *optional), names)
    wanted = [str(column) for column in (*columns, *optional) if column in names]
    line = 0
    try:
        for batch in file.iter_batches(columns=wanted):
            for row in batch.to_pylist():
                line += 1
                yield Record(line, {name: as_text(value) for name, value in row.items()})
    except UnicodeDecodeError:
        raise MalformedRowError(path, line, "not UTF-8") from None
    except (OSError, pyarrow.ArrowException) as error:
        problem = f"cannot read the next rows: {_in_one_line(error)}; copy the file again"
        raise MalformedRowError(path, line + 1, problem) from None


def parquet_names(path: Path) -> list[str]:
    """The columns of a parquet file; raises DataError where it cannot be read."""
    names: list[str] = _open_parquet(path).schema_arrow.names
    return names


def _open_parquet(path: Path) -> Any:
    """A parquet file, unpacked where it is compressed as a whole.

    Raises:
        DataError: there is no such file, or it is no parquet.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if head.startswith((_GZIP, _ZSTD)):
            return pyarrow.parquet.ParquetFile(pyarrow.BufferReader(raw_content(path)))
        if not head.startswith(b"PAR1") and (what := mistaken(head, by_line=False)):
            raise DataError(f"cannot read {path}: {what}")
        return pyarrow.parquet.ParquetFile(path)
    except FileNotFoundError:
        raise DataError(f"there is no file {path}") from None
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"cannot read {path} as parquet: {_in_one_line(error)}") from None


def _in_one_line(error: Exception) -> str:
    """What a library says, without its further lines."""
    return str(error).strip().partition("\n")[0][:150]


def _check_columns(
    path: Path, line: int, wanted: Sequence[Column], there: Sequence[Column]
) -> None:
    if absent := [column for column in wanted if column not in there]:
        raise MalformedRowError(
            path,
            line,
            f"no column {', '.join(map(repr, absent))}; "
            f"there are: {', '.join(map(str, there)) or 'none'}",
        )


def _check_once(path: Path, line: int, wanted: Sequence[Column], there: Sequence[Column]) -> None:
    if repeated := [name for name in wanted if there.count(name) > 1]:
        raise MalformedRowError(
            path, line, f"several columns are called {repeated[0]!r}; keep one of them"
        )


def as_text(value: Any) -> str:
    """A value as a file of text would have it: true and 1.0 are 1, nothing and NaN are empty.

    Raises:
        UnicodeDecodeError: the value is of bytes that are not UTF-8.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8")  # some writers of parquet store text so
    if value is None:
        return ""
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))  # a table with a missing value has 1.0 for 1
    if isinstance(value, float) and value != value:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
