"""All rows of a file in the form it has, so that some of them can be written to another file.

>>> table = read_rows(Path("all.csv"), sheet)   # which `read_sheet` gave
>>> table.head, table.rows[0]
(('text', 'label', 'lang'), ['It rains.', 'weather', 'en'])
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path

from evalsuite.errors import DataError
from evalsuite.guess.sheet import Sheet
from evalsuite.own.records import Column, content, form, records
from evalsuite.own.side_by_side import side_by_side

_BREAK = re.compile(r"\r\n|\r|\n")
Replaceable = Callable[[Path], bool]
Place = Path | dict[str, Path]  # a file, or part of a row -> file with one line per row


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as they stand in a file, or in several with one line per row each.

    Attributes:
        form: csv, json, conll or lines.
        head: names of the columns, where the file has them.
        rows: fields of each; the lines of a sentence in CoNLL form.
        lines: where each begins in the file it was read from.
    """

    form: str
    head: tuple[Column, ...]
    rows: list[list[str]]
    lines: list[int]

    def place_of(self, column: Column) -> int:
        """Where in a row a column stands."""
        return self.head.index(column)

    def some(self, numbers: Sequence[int]) -> Rows:
        """The same form with these of the rows, by their numbers from 0."""
        rows, lines = [self.rows[n] for n in numbers], [self.lines[n] for n in numbers]
        return Rows(self.form, self.head, rows, lines)

    def written_lines(self) -> list[int]:
        """Where each row begins in a file that `write_rows` writes."""
        start = 1 + (self.form == "csv" and _has_names(self.head))
        return [*accumulate(map(self._height, self.rows), initial=start)][:-1]

    def _height(self, row: Sequence[str]) -> int:
        """How many lines a row is written to."""
        if self.form == "conll":
            return len(row) + 1
        breaks = sum(len(_BREAK.findall(field)) for field in row) if self.form == "csv" else 0
        return 1 + breaks


def read_rows(place: Place, sheet: Sheet) -> Rows:
    """All rows of a file that was looked at.

    Raises:
        DataError: a file cannot be read, or a row does not fit.
    """
    if isinstance(place, dict):
        both = [list(row) for row in zip(*side_by_side(place).values(), strict=True)]
        return Rows("lines", tuple(place), both, [*range(1, len(both) + 1)])
    keys = tuple(column.key for column in sheet.columns)
    if sheet.form == "squad":
        raise DataError(
            f"{place}: all questions are in one file; give a second one for tests, named test.json"
        )
    if sheet.form == "sentences":
        blocks = _blocks(content(place))
        return Rows("conll", keys, [*blocks.values()], [*blocks])
    if form(place) in ("json", "parquet"):
        named = keys if form(place) == "parquet" else ()
        found = [*records(place, named)]
        fields = [[record.fields.get(key, "") for key in keys] for record in found]
        return Rows("json", keys, fields, [record.line for record in found])
    found = [*islice(records(place, (1,)), int(sheet.named), None)]
    fields = [list(record.fields.values()) for record in found]
    return Rows("csv", keys, fields, [record.line for record in found])


def write_rows(rows: Rows, folder: Path, name: str, replaceable: Replaceable) -> Place:
    """Write rows as `folder/name.csv`, or as the files that their form has.

    Args:
        replaceable: whether a file that is there may be replaced; it may be the person's own.

    Returns:
        The file, or part of a row -> its file.

    Raises:
        DataError: there is such a file with other rows, and it may not be replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if rows.form == "lines":
        parts = {}
        for place, part in enumerate(rows.head):
            path = folder / f"{name}_{part}.txt"
            _write(path, "".join(row[place] + "\n" for row in rows.rows), replaceable)
            parts[str(part)] = path
        return parts
    suffix = {"csv": ".csv", "json": ".jsonl", "conll": ".conll"}[rows.form]
    path = folder / f"{name}{suffix}"
    _write(path, _text(rows), replaceable)
    return path


def _write(path: Path, text: str, replaceable: Replaceable) -> None:
    if path.exists() and path.read_bytes() != text.encode() and not replaceable(path):
        raise DataError(
            f"{path} is there and has other rows than those that would be written to it\n"
            "choose another name for the recipe, as rows are written to a folder next to it "
            "(--output FILE); to replace rows that init wrote: --force"
        )
    path.write_text(text, encoding="utf-8", newline="")


def _text(rows: Rows) -> str:
    if rows.form == "conll":
        return "".join("\n".join(block) + "\n\n" for block in rows.rows)
    if rows.form == "json":
        return "".join(_json(rows.head, row) + "\n" for row in rows.rows)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if _has_names(rows.head):
        writer.writerow(rows.head)
    writer.writerows(rows.rows)
    return out.getvalue()


def _has_names(head: Sequence[Column]) -> bool:
    return any(isinstance(key, str) for key in head)


def _json(head: Sequence[Column], row: Sequence[str]) -> str:
    fields: Mapping[str, str] = {str(key): value for key, value in zip(head, row, strict=True)}
    return json.dumps(fields, ensure_ascii=False)


def _blocks(text: str) -> dict[int, list[str]]:
    """The lines of each sentence, by the number of the first."""
    found: dict[int, list[str]] = {}
    start = 0
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            start = 0
            continue
        start = start or number
        found.setdefault(start, []).append(line.removesuffix("\r"))
    return {
        first: block
        for first, block in found.items()
        if any(not line.startswith("# ") for line in block)
    }
