"""Natural language inference: what XNLI, MNLI and SNLI share.

He said nothing. TAB He told a long story. TAB contradiction
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from evalsuite.data import files
from evalsuite.data.hub import Row
from evalsuite.data.sourced import SourcedTask
from evalsuite.errors import MalformedRowError
from evalsuite.task import Example, Format, PairExample, Split

LABELS = ("entailment", "neutral", "contradiction")
_SPELLINGS = {**{label: label for label in LABELS}, "contradictory": "contradiction"}


class NliTask(SourcedTask):
    """Premise, hypothesis, one of three labels.

    XNLI's original files say `contradictory`, read as `contradiction`. Rows without a gold label
    (`-` in a file, -1 on the hub: the annotators did not agree) are left out, as everyone does;
    ids are row numbers of the source, from 0, so that what was left out shows.
    """

    format: ClassVar[Format] = "pair"
    labels: ClassVar[tuple[str, ...]] = LABELS
    metric: ClassVar[str] = "accuracy"
    columns: ClassVar[int] = 3

    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        (path,) = paths
        found: list[Example] = []
        rows = files.pairs(path, self.what(split, language), self.layout, hidden=split == "test")
        for line, first, second, label in rows:
            if label == "-":
                continue
            if label is not None and label not in _SPELLINGS:
                raise MalformedRowError(
                    path, line, f"unknown label {label!r}; allowed: {', '.join(LABELS)}"
                )
            gold = None if label is None else _SPELLINGS[label]
            found.append(PairExample(f"{split}-{language}-{line - 1}", first, second, gold))
        return found

    def from_row(self, row: Row, id: str) -> Example | None:
        label = row["label"]
        if isinstance(label, int):  # no names in the data set: ids are in the order of LABELS
            label = LABELS[label] if 0 <= label < len(LABELS) else None
        if label is None:
            return None
        return PairExample(id, row["premise"], row["hypothesis"], _SPELLINGS[label])
