"""The format and columns of a table, as the files of `formats` see them.

>>> guess(read_sheet(Path("train.csv")))
Guess(format='classification', columns={'text': 'text', 'label': 'category'})
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

from evalsuite.catalog import Catalogue
from evalsuite.errors import DataError
from evalsuite.guess.column_names import LABELS, PAIRS, SCORES, TEXTS
from evalsuite.guess.columns import Looked
from evalsuite.guess.sheet import Sheet
from evalsuite.own.records import Column
from evalsuite.registry import OWN_FORMATS

GUESSES: Catalogue[ModuleType] = Catalogue("evalsuite.guess.formats", "format")
# A column with one of these names holds labels, also many of them, or numbers of them.
_SURE = ("label", "labels", "intent")
_REPEATED = 0.6  # share of the rows that have different labels, at most
_WHOLE = re.compile(r"[-+]?\d+")


@dataclass(frozen=True, slots=True)
class Guess:
    """What the rows of a sheet are.

    Attributes:
        columns: part of a row -> its column.
    """

    format: str
    columns: Mapping[str, Column | tuple[Column, ...]]


def guess(sheet: Sheet, asked: str | None = None) -> Guess:
    """The one format that fits a sheet.

    Args:
        asked: the format, where the person says it.

    Raises:
        DataError: none fits, or several; says what was seen and which option decides.
    """
    names = [asked] if asked else list(GUESSES.names())
    found = [one for name in names if (one := GUESSES.get(name).recognise(sheet)) is not None]
    usual = _with_usual_names(sheet, names)
    empty = {column.key for column in sheet.of("empty")}
    full = [one for one in usual if not empty & used_columns(one)]
    found = _by_name(_largest(found, full), usual) or _largest(usual, usual)
    if len(found) == 1:
        only: Guess = found[0]
        return only
    seen = "; ".join(column.described() for column in sheet.columns)
    if found:
        formats = " or ".join(one.format for one in found)
        raise DataError(
            f"{sheet.path} may hold rows of {formats}\nits columns: {seen}\n"
            f"say which: --format {found[0].format}"
        )
    wanted = f"rows of {asked}" if asked else "rows that lingopress knows"
    some = asked or "classification"
    there = {column.name for column in sheet.columns}
    way = max(OWN_FORMATS.get(some).ROLES, key=lambda way: len(there & {*way.values()}))
    parts = ",".join(f"{part}=NAME" for part in way)
    raise DataError(
        f"{sheet.path} does not look like {wanted}\nits columns: {seen}\n"
        f"say which column is what: --format {some} --columns {parts} (a name, or a number from "
        "1); docs/own-tasks.md lists the formats and their columns"
    )


def _with_usual_names(sheet: Sheet, formats: Iterable[str]) -> list[Guess]:
    """The formats whose columns are all there by their usual names, whatever is in them."""
    fits: list[Guess] = []
    for format in formats if sheet.form == "table" else ():
        rules = OWN_FORMATS.get(format)
        for way in rules.ROLES:
            found = {part: named(sheet.columns, [str(usual)]) for part, usual in way.items()}
            if all(found.values()) and not found.keys() & set(getattr(rules, "CANDIDATES", ())):
                fits.append(Guess(format, {part: own[0].key for part, own in found.items()}))
    return fits


def _largest(some: Sequence[Guess], others: Sequence[Guess]) -> list[Guess]:
    """Those that do not take a part of the columns that another takes."""
    taken = [used_columns(one) for one in others]
    return [one for one in some if not any(used_columns(one) < other for other in taken)]


def _by_name(some: Sequence[Guess], usual: Sequence[Guess]) -> list[Guess]:
    """Those whose columns no other takes by their usual names."""
    sure = [one for one in some if one in usual]
    taken = [used_columns(one) for one in sure]
    return [one for one in some if one in sure or used_columns(one) not in taken]


def used_columns(guess: Guess) -> set[Column]:
    """All columns that a guess takes."""
    found: set[Column] = set()
    for column in guess.columns.values():
        found.update(column if isinstance(column, tuple) else (column,))
    return found


def named(columns: Iterable[Looked], names: Iterable[str]) -> list[Looked]:
    """The columns with one of these names, in the order of the names."""
    given = list(columns)
    return [column for name in names for column in given if column.name == name]


def many_labels(sheet: Sheet) -> Looked | None:
    """A column called a label whose many values look like texts or scores; None without one.

    Whole numbers are scores next to two texts, as a similarity from 0 to 100 is.
    """
    texts = [column for column in sheet.of("text") if column.name not in _SURE]
    if len(named(sheet.columns, _SURE)) != 1 or named(sheet.columns, SCORES):
        return None
    (column,) = named(sheet.columns, _SURE)
    filled = [value.strip() for value in column.values if value.strip()]
    kinds = ("text",) if len(texts) > 1 else ("text", "scores")
    if column.kind not in kinds or len(set(filled)) > _REPEATED * len(filled):
        return None
    return column if column.kind == "text" or all(map(_WHOLE.fullmatch, filled)) else None


def label_of(sheet: Sheet) -> Looked | None:
    """The one column that holds a label per row; None without one, or where it is not clear which.

    Next to a column of several labels, only one that is called a label is.
    """
    can_be = sheet.of("labels", "flags")
    if chosen := named(can_be, LABELS):
        return chosen[0]
    if sheet.of("several"):
        return None
    return many_labels(sheet) or (can_be[0] if len(can_be) == 1 else None)


def two_texts(sheet: Sheet) -> tuple[Looked, Looked] | None:
    """The two columns of texts: by their names, or where there are two."""
    texts = texts_of(sheet)
    for pair in PAIRS:
        if len(chosen := named(texts, pair)) == 2:
            return chosen[0], chosen[1]
    if len(texts) == 2 and not named(texts, TEXTS):
        return texts[0], texts[1]
    return None


def texts_of(sheet: Sheet) -> list[Looked]:
    """The columns that hold texts."""
    return [column for column in sheet.of("text") if column is not many_labels(sheet)]
