"""Several names in one field: a JSON list, or names between `|`, `;` or `,`.

>>> found(rows, "labels")            # of 'Food, drink|Travel' and 'Food, drink'
{'Food, drink', 'Travel'}
>>> names(row, "labels", found(rows, "labels"))
['Food, drink']

A name may have one of these marks in it. The names of some rows are between the first of the marks
that any row has; where the names are known, a field is divided so that it has known names alone.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable

from evalsuite.own.row import Row

MARKS = ("|", ";", ",")


def found(rows: Iterable[Row], role: str) -> set[str]:
    """The names in a part of some rows, as files write them, all between the same mark.

    Raises:
        MalformedRowError: a name is empty, or what looks like a list is none.
    """
    every: set[str] = set()
    fields: dict[str, Row] = {}  # those that are no lists, each with its first row
    for row in rows:
        written = _written(row, role)
        if _is_list(written):
            every.update(_listed(row, role))
        elif written:
            fields.setdefault(written, row)
    mark = next((mark for mark in MARKS if any(mark in written for written in fields)), None)
    for written, row in fields.items():
        every.update(_without_empty(row, role, _divided(written, mark)))
    return every


def names(row: Row, role: str, known: Container[str]) -> list[str]:
    """The names in a part of a row, none where it is empty.

    Where no mark gives known names alone, they are between the first mark that the field has.

    Args:
        known: names as they are after the row's spelling of them.

    Raises:
        MalformedRowError: a name is empty, or what looks like a list is none.
    """
    written = _written(row, role)
    if not written or row.spelling(written) in known:
        return [row.spelling(written)] if written else []
    if _is_list(written):
        return list(map(row.spelling, _listed(row, role)))
    ways = [_divided(written, mark) for mark in MARKS if mark in written] or [[written]]
    fits = (way for way in ways if all(row.spelling(name) in known for name in way))
    chosen = next(fits, ways[0])
    return list(map(row.spelling, _without_empty(row, role, chosen)))


def _written(row: Row, role: str) -> str:
    return row.parts.get(role, "").strip()


def _divided(written: str, mark: str | None) -> list[str]:
    return [part.strip() for part in (written.split(mark) if mark else [written])]


def _is_list(written: str) -> bool:
    return written.startswith("[")


def _listed(row: Row, role: str) -> list[str]:
    """The names of a JSON list."""
    written = _written(row, role)
    try:
        values = json.loads(written)
    except ValueError:
        values = None
    if not isinstance(values, list) or not all(isinstance(name, str | int) for name in values):
        raise row.error(f"{role}: {written[:60]!r} is not a list of names")
    return _without_empty(row, role, [str(name).strip() for name in values])


def _without_empty(row: Row, role: str, parts: list[str]) -> list[str]:
    if not all(parts):
        raise row.error(f"{role}: {_written(row, role)[:60]!r} has an empty name")
    return parts
