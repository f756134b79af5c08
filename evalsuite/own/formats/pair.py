"""Two sentences and their label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalsuite.own.formats import _label
from evalsuite.own.row import Row
from evalsuite.task import PairExample

FORMAT, METRIC = "pair", "accuracy"
ROLES = ({"first": "first", "second": "second", "label": "label"},)
GOLD, LISTS = ("label",), ()
NOUN = "two sentences and a label"


def labels(rows: Iterable[Row]) -> tuple[str, ...]:
    """Those of the rows."""
    return _label.found(rows)


def example(row: Row, id: str, labels: Sequence[str]) -> PairExample:
    """Both sentences, and their label where the file has labels."""
    return PairExample(id, row.text("first"), row.text("second"), _label.known(row, labels))
