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

from evalsuite.data.csv_separator import divides
from evalsuite.errors import DataError, MalformedRowError
from evalsuite.guess.column_names import EMPTY, HEADS
from evalsuite.guess.columns import Looked, is_number, look
from evalsuite.own.conll import columns as columns_of
from evalsuite.own.conll import is_remark, separator_of
from evalsuite.own.records import FORMS, Column, content, form, parquet_names, records

Form = Literal["table", "lines", "sentences", "squad"]
ROWS = 3000
LONGEST_NAME = 40  # characters
_NAME = re.compile(r"[^\W\d][\w .:/()-]*")


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
        return _named_sheet(path, parquet_names(path))
    text = content(path)
    if kind == "json":
        return _named_sheet(path, None)
    if kind == "squad":
        if '"paragraphs"' not in text:
            raise DataError(
                f"{path}: a .json file is read as SQuAD, and there are no paragraphs in it; rows "
                "go into a file that ends in .jsonl, one JSON object per line"
            )
        questions = tuple(re.findall(r'"question"\s*:\s*"((?:[^"\\]|\\.)*)"', text)[:ROWS])
        return Sheet(path, "squad", look([("question", questions)]), len(questions), True)
    lines = text.split("\n")
    if kind == "conll" or _is_conll(lines):
        return _sentences(path, lines)
    rows = _rows(path, lines)
    if len(rows[0]) == 1 and kind == "tsv" and not _is_header(rows):
        return Sheet(path, "lines", look([(1, [row[0] for row in rows])]), len(rows), False)
    named = _is_header(rows)
    keys: list[Column] = [*rows[0]] if named else [*range(1, len(rows[0]) + 1)]
    body = rows[1:] if named else rows[:ROWS]
    if not body:
        raise DataError(f"{path}: there is no row below its first line")
    columns = look([(key, [row[place] for row in body]) for place, key in enumerate(keys)])
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
    columns = look([(key, [row.get(key, "") for row in rows]) for key in keys])
    return Sheet(path, "table", columns, len(rows), True)


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
    columns = look([(n + 1, [row[n] for row in rows]) for n in range(width)])
    return Sheet(path, "sentences", columns, len(rows), False)


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: its fields are names, and unlike those below."""
    first, body = [field.strip() for field in rows[0]], rows[1:]
    names = [field.lower() for field in first]
    filled = list(filter(None, names))
    if len(set(filled)) < len(filled) or not body or max(map(len, names)) > LONGEST_NAME:
        return False
    usual = len(set(names) & HEADS)
    columns = [[row[place] for row in body] for place in range(len(first))]
    if usual < 2 and any(field in column for field, column in zip(first, columns, strict=True)):
        return False
    if usual:
        return True
    numbered = names[0] in EMPTY and all(map(is_number, columns[0]))
    if not all(map(_NAME.fullmatch, first[1:] if numbered else first)):
        return False
    if any(all(map(is_number, column)) for column in columns):
        return True  # and the first is none, as it is a name
    lengths = [sum(map(len, column)) for column in columns]
    longest = lengths.index(max(lengths))
    return len(first[longest]) * 2 < lengths[longest] / len(body)


def _rows(path: Path, lines: Sequence[str]) -> list[list[str]]:
    """The first rows of a table, and its line of names where it has one.

    Raises:
        MalformedRowError: a row has another number of columns, or another separator than the name
            of the file says.
    """
    try:
        rows = [list(record.fields.values()) for record in islice(records(path, (1,)), ROWS + 1)]
    except MalformedRowError:
        _refuse_other_separators(path, lines)
        raise
    if len(rows[0]) == 1:
        _refuse_other_separators(path, lines)
    return rows


def _refuse_other_separators(path: Path, lines: Sequence[str]) -> None:
    """A file that is no table by its name, and is one by another separator.

    Raises:
        MalformedRowError: it is one; says which separator.
    """
    some = list(islice(_filled(lines), 50))
    own = ",;" if form(path) == "csv" else "\t"
    for mark, name in ((";", "semicolons"), ("\t", "tabs"), (",", "commas"), ("|", "bars")):
        if mark not in own and len(some) > 1 and divides(mark, some):
            suffix = {"\t": ".tsv", ",": ".csv"}.get(mark)
            remedy = f"rename it to end in {suffix}" if suffix else "save it as CSV, or TSV"
            raise MalformedRowError(path, 1, f"its columns are separated by {name}; {remedy}")


def _filled(lines: Sequence[str]) -> Iterator[str]:
    return (line for line in lines if line.strip())
