"""A sentence, or two, and any of several labels: a column of 0 and 1 for each, or one of names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalsuite.own.formats import _label, _several, _texts
from evalsuite.own.row import Row
from evalsuite.task import LabelsExample

FORMAT, METRIC = "multilabel", "macro_f1"
ROLES = (
    {"text": "text", "labels": "labels"},
    {"first": "first", "second": "second", "labels": "labels"},
)
GOLD, LISTS = ("labels",), ("labels",)
NOUN = "a sentence, or two (first and second), and any of several labels"
_PRESENT = {"1": True, "1.0": True, "true": True, "yes": True}
_ABSENT = {"0": False, "0.0": False, "false": False, "no": False}


def labels(rows: Iterable[Row]) -> tuple[str, ...]:
    """Those that are named; where each has a column, the declaration knows them."""
    return _label.in_order(_several.found(rows, "labels"))


def example(row: Row, id: str, labels: Sequence[str]) -> LabelsExample:
    """The texts, and for each label that the file tells of whether the row has it."""
    return LabelsExample(id, *_texts.of(row), _of(row, labels))


def _of(row: Row, labels: Sequence[str]) -> dict[str, bool] | None:
    """None where the file has no labels.

    Raises:
        MalformedRowError: a label is unknown, or a field neither 0 nor 1.
    """
    if columns := row.lists.get("labels"):
        has: dict[str, bool] = {}
        for column, value in columns.items():  # several of them may have one label
            label = _label.among(row, row.spelling(str(column)), labels)
            has[label] = _flag(row, str(column), value) or has.get(label, False)
        return has
    if "labels" not in row.parts:
        return None
    given = {_label.among(row, name, labels) for name in _several.names(row, "labels", labels)}
    return {label: label in given for label in labels}


def _flag(row: Row, column: str, value: str) -> bool:
    found = (_PRESENT | _ABSENT).get(value.strip().lower())
    if found is None:
        said = f"{value.strip()!r} is neither 0 nor 1" if value.strip() else "neither 0 nor 1"
        raise row.error(f"{said} (column {column})")
    return found
