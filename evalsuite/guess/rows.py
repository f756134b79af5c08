"""All rows of a file in the form it has, so that some of them can be written to another file.

>>> table = read_rows(Path("all.csv"), sheet)   # which `read_sheet` gave
>>> table.head, table.rows[0]
(('text', 'label', 'lang'), ['It rains.', 'weather', 'en'])
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalsuite.errors import DataError
from evalsuite.guess.sheet import Sheet
from evalsuite.own.records import Column, content, form, records

Replaceable = Callable[[Path], bool]
Place = Path | dict[str, Path]  # a file, or part of a row -> file with one line per row


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as they stand in a file, or in several with one line per row each.

    Attributes:
        form: csv, json, conll or lines.
        head: names of the columns, where the file has them.
        rows: fields of each; the lines of a sentence in CoNLL form.
    """

    form: str
    head: tuple[Column, ...]
    rows: list[list[str]]

    def place_of(self, column: Column) -> int:
        """Where in a row a column stands."""
        return self.head.index(column)

    def some(self, rows: list[list[str]]) -> Rows:
        """The same form with these rows."""
        return Rows(self.form, self.head, rows)


def read_rows(place: Place, sheet: Sheet) -> Rows:
    """All rows of a file that was looked at.

    Raises:
        DataError: a file cannot be read, or a row does not fit.
    """
    if isinstance(place, dict):
        lines = [content(path).removesuffix("\n").split("\n") for path in place.values()]
        return Rows("lines", tuple(place), [list(row) for row in zip(*lines, strict=True)])
    keys = tuple(column.key for column in sheet.columns)
    if sheet.form == "squad":
        raise DataError(
            f"{place}: all questions are in one file; give a second one for tests, named test.json"
        )
    if sheet.form == "sentences":
        return Rows("conll", keys, _blocks(content(place)))
    if form(place) in ("json", "parquet"):
        named = keys if form(place) == "parquet" else ()
        found = [record.fields for record in records(place, named)]
        return Rows("json", keys, [[fields.get(key, "") for key in keys] for fields in found])
    rows = [list(record.fields.values()) for record in records(place, (1,))]
    return Rows("csv", keys, rows[1:] if sheet.named else rows)


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
    if any(isinstance(key, str) for key in rows.head):
        writer.writerow(rows.head)
    writer.writerows(rows.rows)
    return out.getvalue()


def _json(head: Sequence[Column], row: Sequence[str]) -> str:
    fields: Mapping[str, str] = {str(key): value for key, value in zip(head, row, strict=True)}
    return json.dumps(fields, ensure_ascii=False)


def _blocks(text: str) -> list[list[str]]:
    """The lines of each sentence."""
    found: list[list[str]] = [[]]
    for line in text.split("\n"):
        line = line.removesuffix("\r")
        if line.strip():
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [block for block in found if any(not line.startswith("# ") for line in block)]
