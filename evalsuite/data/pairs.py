"""Two sentences and a label: what the inference tasks and PAWS-X share.

He said nothing. TAB He made a long speech. TAB contradiction
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from evalsuite.data import files, left_out
from evalsuite.data.sourced import SourcedTask
from evalsuite.errors import MalformedRowError
from evalsuite.task import Example, Format, PairExample, Split

_NAMES = "label"  # in the third column: a line of column names, which XNLI's translated files have


class PairTask(SourcedTask):
    """Rows are numbered as in the source, from 0, so that what was left out shows.

    Attributes:
        spellings: how files write a label -> the label, where they write it otherwise too.
    """

    format: Format = "pair"
    metric: str = "accuracy"
    columns: ClassVar[int] = 3
    spellings: ClassVar[Mapping[str, str]] = {}

    def defect(self, first: str, second: str, label: str | None) -> str | None:
        """Why a row is left out, where its data set as published is known for such rows."""
        return None

    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        (path,) = paths
        found: list[Example] = []
        without: Counter[str] = Counter()
        rows = files.pairs(
            path,
            self.what(split, language),
            self.layout,
            hidden=split == "test",
            blank=self.defect("", "", None) is not None,
        )
        for line, first, second, label in rows:
            if line == 1 and label == _NAMES:
                continue
            if reason := self.defect(first.strip(), second.strip(), label):
                without[reason] += 1
                continue
            gold = None if label is None else self.gold(path, line, label)
            found.append(PairExample(f"{split}-{language}-{line - 1}", first, second, gold))
        return self.counted(found, without, split, language)

    def counted(
        self, found: list[Example], without: Counter[str], split: Split, language: str
    ) -> list[Example]:
        """The rows that were read; those left out, and why, are noted."""
        total = len(found) + without.total()
        left_out.record(left_out.Rows(self.name, split, language), total, without)
        return found

    def gold(self, path: Path, line: int, label: str) -> str:
        """The label a file writes so; raises MalformedRowError."""
        known = self.spellings.get(label, label)
        if known not in self.labels:
            allowed = ", ".join(self.labels)
            raise MalformedRowError(path, line, f"unknown label {label!r}; allowed: {allowed}")
        return known
