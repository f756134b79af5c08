"""Pairs of sentences in the files of GLUE: a line of column names, then fields separated by tabs.

index TAB sentence1 TAB sentence2 TAB label
0 TAB No Weapons of Mass Destruction Found in Iraq Yet. TAB Weapons of ... TAB not_entailment

Quotation marks are characters like any other. Paper: Wang et al. 2019, arXiv:1804.07461.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from evalsuite.data import files
from evalsuite.data.hub import Row
from evalsuite.data.pairs import PairTask
from evalsuite.data.sourced import EnglishTask
from evalsuite.errors import MalformedRowError
from evalsuite.task import Example, HubSource, PairExample, Split


class GlueTask(EnglishTask, PairTask):
    """Rows are numbered as in the source, from 0.

    Attributes:
        fields: columns of the two sentences and of the label, in a file.
        short: share of rows that may lack columns, and are left out.
    """

    hub: HubSource | None = HubSource("nyu-mll/glue", "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c")
    fields: ClassVar[tuple[str, str, str]]
    short: ClassVar[float] = 0.0

    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        (path,) = paths
        what = self.what(split, language)
        without: Counter[str] = Counter()
        rows = files.table(
            path, what, self.layout, self.fields, quoted=False, short=self.short, left_out=without
        )
        found: list[Example] = []
        for line, row in rows:
            first, second, label = (row[field] for field in self.fields)
            if not first.strip() or not second.strip():
                raise MalformedRowError(path, line, f"an empty sentence: {[first, second]}")
            gold = self.gold(path, line, label)
            found.append(PairExample(f"{split}-{language}-{line - 2}", first, second, gold))
        return self.counted(found, without, split, language)

    def from_row(self, row: Row, id: str) -> Example | None:
        if row["label"] is None:
            return None
        first, second = (row[field] for field in self.fields[:2])
        return PairExample(id, first, second, self.spellings.get(row["label"], row["label"]))
