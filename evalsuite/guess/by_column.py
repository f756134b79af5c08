"""The rows of a file apart, where columns name the language or the split of each row.

>>> by_column(Entry(None, None, path, path), read_sheet(path), {"text", "label"}, notes)
[Entry('train', 'en', ...), Entry('test', 'en', ...), Entry('test', 'de', ...)]
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from evalsuite.errors import DataError
from evalsuite.guess.assign import Entry
from evalsuite.guess.columns import split_of
from evalsuite.guess.language_codes import language_of_value
from evalsuite.guess.rows import read_rows
from evalsuite.guess.sheet import Sheet
from evalsuite.own.records import Column
from evalsuite.task import Split

_RENAME = "where the column means something else, give it another name"


def by_column(entry: Entry, sheet: Sheet, used: Set[Column], notes: list[str]) -> list[Entry]:
    """The parts of a file whose columns name the language or the split of each row.

    Args:
        used: columns that are parts of a row.
        notes: get a sentence where rows are not used.

    Raises:
        DataError: a value is no language or no split.
    """
    language, split = (_column(sheet, kind, used) for kind in ("languages", "splits"))
    if isinstance(entry.place, dict) or sheet.form != "table" or language is split is None:
        return [entry]
    rows = read_rows(entry.place, sheet)
    found: dict[tuple[Split | None, str | None], list[int]] = {}
    unused = 0
    for number, row in enumerate(rows.rows):
        own_language, own_split = entry.language, entry.split
        if language is not None:
            own_language = _language(entry, language, row[rows.place_of(language)].strip())
        if split is not None:
            own_split = _split(entry, split, row[rows.place_of(split)].strip())
        if split is not None and own_split is None:
            unused += 1
        else:
            found.setdefault((own_split, own_language), []).append(number)
    if unused:
        notes.append(f"{entry.file}: {unused:,} rows are not used; column {split} is empty there")
    sure = entry.sure or language is not None
    if len(found) == 1 and not unused:
        ((own_split, own_language),) = found
        return [replace(entry, split=own_split, language=own_language, sure=sure)]
    by = " and ".join(str(column) for column in (language, split) if column is not None)
    return [
        replace(
            entry, split=own_split, language=own_language, rows=rows.some(own), by=by, sure=sure
        )
        for (own_split, own_language), own in found.items()
    ]


def _column(sheet: Sheet, kind: str, used: Set[Column]) -> Column | None:
    return next((column.key for column in sheet.of(kind) if column.key not in used), None)


def _language(entry: Entry, column: Column, written: str) -> str:
    """The language of a row; that of the file where the field is empty."""
    code = language_of_value(written) if written else entry.language
    if code is None:
        shown = repr(written) if written else "an empty field"
        raise DataError(
            f"{entry.file}: {shown} in column {column} is no language that lingopress knows\n"
            f"write a code such as en or pt-BR there, or an English name; {_RENAME}"
        )
    return code


def _split(entry: Entry, column: Column, written: str) -> Split | None:
    """The split of a row; that of the file, or none, where the field is empty."""
    if not written:
        return entry.split
    split = split_of(written)
    if split is None:
        raise DataError(
            f"{entry.file}: {written!r} in column {column} is no split\n"
            f"write train, dev or test there; {_RENAME}"
        )
    return split
