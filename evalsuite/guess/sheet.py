"""The first rows of a file, with its columns.

>>> sheet = read_sheet(Path("train.csv"))
>>> sheet.form, [column.key for column in sheet.columns]
('table', ['text', 'label'])

A file is a table (CSV, TSV, JSON lines, parquet), lines (one text or label each), sentences in
CoNLL form, or SQuAD JSON. Whether the first line of a table names its columns is seen from the
values below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from evalsuite.errors import DataError, MalformedRowError
from evalsuite.guess.columns import Looked, is_number, look
from evalsuite.own.conll import columns as columns_of
from evalsuite.own.conll import is_remark, separator_of
from evalsuite.own.records import FORMS, Column, content, form, records

Form = Literal["table", "lines", "sentences", "squad"]
ROWS = 3000
_NAMES = frozenset(
    [
        "text",
        "sentence",
        "content",
        "message",
        "utterance",
        "review",
        "body",
        "tweet",
        "comment",
        "label",
        "labels",
        "category",
        "class",
        "intent",
        "sentiment",
        "topic",
        "target",
        "tag",
        "id",
        "idx",
        "index",
        "guid",
        "premise",
        "hypothesis",
        "sentence1",
        "sentence2",
        "first",
        "second",
        "question",
        "question1",
        "question2",
        "answer",
        "context",
        "lang",
        "language",
        "split",
        "score",
        "similarity",
    ]
)
_NAME = re.compile(r"[^\W\d][\w .:/()-]{0,39}")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the beginning of a file holds.

    Attributes:
        columns: of a table; of lines, one; of sentences, those of its words.
        rows: number of rows that were read, at most `ROWS`.
        named: whether the first line names the columns.
    """

    path: Path
    form: Form
    columns: tuple[Looked, ...]
    rows: int
    named: bool

    def of(self, *kinds: str) -> list[Looked]:
        """The columns that look so."""
        return [column for column in self.columns if column.kind in kinds]

    def column(self, key: Column) -> Looked | None:
        """One column; by its name, whatever the case."""
        same = [own for own in self.columns if own.key == key]
        return same[0] if same else None


def read_sheet(path: Path) -> Sheet:
    """Look at a file.

    Raises:
        DataError: it cannot be read, or is not the table that its name says.
    """
    kind = _form(path)
    if kind == "parquet":
        return _named_sheet(path, _parquet_names(path))
    text = content(path)
    if kind == "json":
        return _named_sheet(path, None)
    if kind == "squad":
        questions = tuple(re.findall(r'"question"\s*:\s*"((?:[^"\\]|\\.)*)"', text)[:ROWS])
        return Sheet(path, "squad", (look("question", questions),), len(questions), True)
    lines = text.split("\n")
    if kind == "conll" or _is_conll(lines):
        return _sentences(path, lines)
    rows = [list(record.fields.values()) for record in islice(records(path, (1,)), ROWS + 1)]
    if len(rows[0]) == 1:
        _refuse_other_separators(path, lines)
        if kind == "tsv" and not _is_header(rows):
            return Sheet(path, "lines", (look(1, [row[0] for row in rows]),), len(rows), False)
    named = _is_header(rows)
    keys: list[Column] = [*rows[0]] if named else [*range(1, len(rows[0]) + 1)]
    body = rows[1:] if named else rows[:ROWS]
    if not body:
        raise DataError(f"{path}: there is no row below its first line")
    columns = tuple(look(key, [row[place] for row in body]) for place, key in enumerate(keys))
    return Sheet(path, "table", columns, len(body), named)


def _form(path: Path) -> str:
    """csv, tsv, json, parquet; squad for `.json`, and conll where the name is of no table."""
    suffixes = {suffix.lower() for suffix in path.suffixes}
    if suffixes & set(FORMS):
        return form(path)
    return "squad" if ".json" in suffixes else "conll"


def _named_sheet(path: Path, names: Sequence[str] | None) -> Sheet:
    """A sheet of rows that carry the names of their columns."""
    rows = [record.fields for record in islice(records(path, tuple(names or ())), ROWS)]
    if not rows:
        raise DataError(f"{path}: there is no row in it")
    keys = list(dict.fromkeys(key for row in rows for key in row))
    columns = tuple(look(key, [row.get(key, "") for row in rows]) for key in keys)
    return Sheet(path, "table", columns, len(rows), True)


def _parquet_names(path: Path) -> list[str]:
    import pyarrow
    import pyarrow.parquet

    try:
        names: list[str] = pyarrow.parquet.read_schema(path).names
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"cannot read {path}: {error}") from None
    return names


def _is_conll(lines: Sequence[str]) -> bool:
    """Whether blank lines part groups of lines that have a word and more in columns each."""
    body = [line.rstrip("\r") for line in lines[: 4 * ROWS] if not line.startswith("# ")]
    while body and not body[-1].strip():
        body.pop()
    words = [line for line in body if line.strip()]
    blanks = len(body) - len(words)
    if not blanks or len(words) < 4 or blanks > len(words) / 1.5:
        return False
    separator = separator_of("".join(words))
    widths = [len(columns_of(line, separator)) for line in words]
    if separator == " " and max(widths) > 6:
        return False
    return min(widths) == max(widths) > 1


def _sentences(path: Path, lines: Sequence[str]) -> Sheet:
    separator = separator_of("".join(lines))
    rows: list[list[str]] = []
    inside = False
    for line in lines[: 4 * ROWS]:
        if not line.strip():
            inside = False
        elif not is_remark(line, separator, inside=inside):
            inside = True
            rows.append(columns_of(line.rstrip("\r"), separator))
    if not rows:
        raise DataError(f"{path}: there is no sentence in it")
    width = min(map(len, rows))
    columns = tuple(look(n + 1, [row[n] for row in rows]) for n in range(width))
    return Sheet(path, "sentences", columns, len(rows), False)


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: its fields are names, and unlike those below."""
    first, body = rows[0], rows[1:]
    names = [field.strip().lower() for field in first]
    if len(set(names)) < len(names) or not body:
        return False
    if not all(_NAME.fullmatch(field.strip()) for field in first):
        return False
    if set(names) & _NAMES:
        return True
    for place, field in enumerate(first):
        values = [row[place] for row in body]
        if all(map(is_number, values)):
            return True  # and the first is none, as it is a name
        if field in values:
            return False
    longest = max(range(len(first)), key=lambda place: sum(len(row[place]) for row in body))
    mean = sum(len(row[longest]) for row in body) / len(body)
    return len(first[longest]) * 2 < mean


def _refuse_other_separators(path: Path, lines: Sequence[str]) -> None:
    """A file with one column by its name, and several by another separator.

    Raises:
        MalformedRowError: it is one; says which separator.
    """
    some = list(_filled(lines[:50]))
    for mark, name in ((";", "semicolons"), ("\t", "tabs"), (",", "commas"), ("|", "bars")):
        counts = {line.count(mark) for line in some}
        if len(some) > 1 and len(counts) == 1 and counts.pop() > 0:
            suffix = {"\t": ".tsv", ",": ".csv"}.get(mark)
            remedy = (
                f"rename it to end in {suffix}" if suffix else "save it as CSV with commas, or TSV"
            )
            raise MalformedRowError(path, 1, f"its columns are separated by {name}; {remedy}")


def _filled(lines: Sequence[str]) -> Iterator[str]:
    return (line for line in lines if line.strip())
