"""Shards of text: files, packed or not, and the parts of a data set on the hub.

>>> [shard.name for shard in find("text/sw-*.txt.zst")]
['text/sw-00.txt.zst', 'text/sw-01.txt.zst']
>>> next(texts(find("text/sw-*.txt.zst")[0]))
'Hatua ya kwanza'

A row at a time is in memory. Plain lines, CSV, TSV, JSON lines and parquet are read, plain or
packed with gzip or zstd; of tables the column `text`, or the only column. All objects of a file of
JSON lines have their text in the same column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from evalsuite.bulk.open_rows import Reading, open_rows
from evalsuite.bulk.read_text import LINE, Lines, stored_text
from evalsuite.bulk.rows import BadRow, Row, Rows
from evalsuite.errors import DataError, MalformedRowError
from evalsuite.files_below import files_below
from evalsuite.home_path import home_path

_HUB = re.compile(
    r"hub:(?P<repo>\w[\w.-]*/\w[\w.-]*)@(?P<commit>[0-9a-f]{40})(:(?P<config>[\w.-]+))?"
)
HUB_FORM = (
    "a data set of the hub is written hub:org/name@<40 digits of its commit>, with :configuration "
    "after it where it has several"
)
_COLUMN = "text"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of a corpus.

    Attributes:
        name: path of a file, or what stands in the recipe for a data set of the hub.
        number: of a data set of the hub, which of its parts, from 0.
        parts: how many it has; 0: this is a file.
    """

    name: str
    number: int = 0
    parts: int = 0

    def digest(self) -> str:
        """Of a file its SHA-256; of a part of a pinned data set its name."""
        if self.parts:
            return f"{self.name} {self.number}/{self.parts}"
        found = sha256()
        with Path(self.name).open("rb") as file:
            while chunk := file.read(_CHUNK):
                found.update(chunk)
        return found.hexdigest()


def is_hub(place: str) -> bool:
    """Whether a place is meant to be a data set of the hub."""
    return place.startswith("hub:")


def hub_name(place: str) -> re.Match[str] | None:
    """The parts `repo`, `commit` and `config` of a data set's place; None where it lacks one."""
    return _HUB.fullmatch(place)


def find(place: str) -> tuple[Shard, ...]:
    """The shards of one place, sorted: a file, files by a pattern with `*`, or a data set.

    Raises:
        DataError: there is no such file, or the data set is not named with its commit.
    """
    if is_hub(place):
        if hub_name(place) is None:
            raise DataError(f"{place}: {HUB_FORM}")
        parts = _open_hub(place).num_shards
        return tuple(Shard(place, number, parts) for number in range(parts))
    return tuple(Shard(str(path)) for path in files(place))


def files(place: str) -> tuple[Path, ...]:
    """The files of one place that is not on the hub, sorted.

    Raises:
        DataError: there are none.
    """
    name = home_path(place)
    folder = Path(name.anchor)  # the current one where the place is relative
    found = [name] if name.is_file() else _glob(folder, name.relative_to(folder).parts)
    paths = tuple(sorted({path for path in found if path.is_file()}))
    if not paths:
        raise DataError(f"there is no file {place} (from {Path.cwd()})")
    return paths


def _glob(folder: Path, parts: Sequence[str]) -> Iterator[Path]:
    """As `Path.glob`, in linked folders too: it does not enter them for `**` (Python 3.11)."""
    if "**" not in parts:
        yield from folder.glob("/".join(parts)) if parts else ()
        return
    first = parts.index("**")
    for base in folder.glob("/".join(parts[:first])) if first else [folder]:
        below = (path.relative_to(base) for path in files_below(base))
        for inner in sorted({parent for path in below for parent in path.parents}):
            yield from _glob(base / inner, parts[first + 1 :])


def texts(shard: Shard) -> Iterator[str]:
    """The texts of a shard in order; empty ones are left out.

    Raises:
        DataError: it cannot be read, or has no column of text.
        MalformedRowError: a row cannot be read.
    """
    found = _hub_texts(shard) if shard.parts else _file_texts(shard.name)
    return (text for text in found if text.strip())


def _file_texts(name: str) -> Iterator[str]:
    with open_rows(name, Reading(roles=[(_COLUMN,)])) as rows:
        column = _table_column(rows)
        for row in rows:
            if isinstance(row, BadRow):
                raise row.error(name, utf8=rows.utf8())
            if rows.columns is None:
                column = _object_column(Path(name), row, column)
            try:
                value = stored_text(column, row.fields.get(column))
            except ValueError as error:
                raise MalformedRowError(Path(name), row.line, str(error)) from None
            if value is not None and not isinstance(value, str):
                raise MalformedRowError(Path(name), row.line, f"{column} is no text: {value!r:.40}")
            yield value or ""


def _table_column(rows: Rows) -> str:
    """The column of a table with the text; empty where each row names its own."""
    if rows.columns is None or isinstance(rows, Lines):
        return "" if rows.columns is None else LINE
    try:
        return _column(rows.columns)
    except ValueError as error:
        raise DataError(f"{rows.name}: {error}") from None


def _object_column(name: Path, row: Row, earlier: str) -> str:
    """The column of a JSON object with the text: that of the objects before it, where there are."""
    try:
        column = _column(tuple(row.fields))
    except ValueError as error:
        raise MalformedRowError(name, row.line, str(error)) from None
    if earlier and column != earlier:
        problem = f"its text is in {column!r}, and in the rows before it in {earlier!r}"
        raise MalformedRowError(name, row.line, f"{problem}; give both the name {_COLUMN!r}")
    return column


def _column(columns: Sequence[str]) -> str:
    """The column `text`, or the only one.

    Raises:
        ValueError: there is neither.
    """
    if _COLUMN in columns:
        return _COLUMN
    if len(columns) == 1:
        return columns[0]
    listed = f"rename one of: {', '.join(columns)}" if columns else "there are no columns"
    raise ValueError(f"no column {_COLUMN!r}; {listed}")


def _hub_texts(shard: Shard) -> Iterator[str]:
    column = ""
    for number, row in enumerate(_hub_rows(shard), 1):
        if not column:
            if _COLUMN not in row and len(row) != 1:
                raise DataError(f"{shard.name}: no column {_COLUMN!r}; there are: {', '.join(row)}")
            column = _column(tuple(row))
        value = row.get(column)
        if value is not None and not isinstance(value, str):
            raise DataError(f"{shard.name}, row {number}: {column} is no text")
        yield value or ""


def _hub_rows(shard: Shard) -> Iterator[dict[str, Any]]:
    """The rows of a part, which come over the network as they are read."""
    data = _open_hub(shard.name).shard(num_shards=shard.parts, index=shard.number)
    with _asked(shard.name):
        yield from data


def _open_hub(place: str) -> Any:
    """A data set of the hub as `datasets` streams it; nothing is downloaded as a whole."""
    from datasets import load_dataset

    match = _match(place)
    with _asked(place):
        return load_dataset(
            match["repo"], match["config"], split="train", revision=match["commit"], streaming=True
        )


def _match(place: str) -> re.Match[str]:
    match = hub_name(place)
    assert match is not None, "find refuses others"
    return match


@contextmanager
def _asked(place: str) -> Iterator[None]:
    """One message where a data set cannot be read, whatever the cause.

    Raises:
        DataError: in place of a dozen types of four libraries.
    """
    from evalsuite.hub.refusals import Asked

    try:
        yield
    except Exception as error:
        match = _match(place)
        raise Asked(match["repo"], "dataset", match["commit"]).problem(error) from error
