"""A sentence and its label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalsuite.own.formats import _label
from evalsuite.own.row import Row
from evalsuite.task import PairExample

FORMAT, METRIC = "pair", "accuracy"
ROLES = ({"text": "text", "label": "label"},)
GOLD, LISTS = ("label",), ()
NOUN = "a sentence and its label"


def labels(rows: Iterable[Row]) -> tuple[str, ...]:
    """Those of the rows."""
    return _label.found(rows)


def example(row: Row, id: str, labels: Sequence[str]) -> PairExample:
    """The sentence, and its label where the file has labels."""
    return PairExample(id, row.text("text"), None, _label.known(row, labels))
