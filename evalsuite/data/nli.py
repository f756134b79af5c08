"""Natural language inference: what XNLI, MNLI and SNLI share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from evalsuite.data import left_out
from evalsuite.data.hub import Row
from evalsuite.data.pairs import PairTask
from evalsuite.task import Example, PairExample

_NO_AGREEMENT = "-"  # how a file says that the annotators did not agree
LABELS = ("entailment", "neutral", "contradiction")


class NliTask(PairTask):
    """Premise, hypothesis, one of three labels.

    XNLI's original files say `contradictory`, read as `contradiction`. Rows without a gold label
    (`-` in a file, -1 on the hub: the annotators did not agree) are left out, as everyone does, and
    counted (`evalsuite.data.left_out`).
    """

    labels: tuple[str, ...] = LABELS
    spellings: ClassVar[Mapping[str, str]] = {"contradictory": "contradiction"}

    def defect(self, first: str, second: str, label: str | None) -> str | None:
        return left_out.NO_GOLD if label == _NO_AGREEMENT else None

    def from_row(self, row: Row, id: str) -> Example | None:
        label = row["label"]
        if isinstance(label, int):  # no names in the data set: ids are in the order of LABELS
            label = LABELS[label] if 0 <= label < len(LABELS) else None
        if label is None:
            return None
        gold = self.spellings.get(label, label)
        return PairExample(id, row["premise"], row["hypothesis"], gold)
