"""MNLI: natural language inference in ten genres of English, 392,702 training pairs.

>>> TASK.load(DataSource("xtreme", Path("data")), "train", "en")[0].label
'neutral'

The XTREME scripts write MNLI's training set as `xnli/train-en.tsv`; it is read where there is no
`mnli/train-en.tsv`. The dev split is the matched one.

Paper: Williams et al. 2018, arXiv:1704.05426. As an intermediate task: Phang et al. 2020,
arXiv:2005.13013.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import ClassVar

from evalsuite.data.mistaken import is_there
from evalsuite.data.nli import NliTask
from evalsuite.data.sourced import root
from evalsuite.task import DataSource, Example, HubSource, Split


class Mnli(NliTask):
    """The MNLI task."""

    name = "mnli"
    title = "MNLI"
    languages = ("en",)
    eval_splits: tuple[Split, ...] = ("dev",)
    hub: HubSource | None = HubSource(
        "nyu-mll/multi_nli", "da70db2af9d09693783c3320c4249840212ee221"
    )
    hub_splits: ClassVar[dict[Split, str]] = {"train": "train", "dev": "validation_matched"}
    file = "mnli/{split}-{language}.tsv"
    layout = "mnli/train-en.tsv (or xnli/train-en.tsv, as the XTREME scripts write it)"
    licence = "OANC, CC BY 3.0, CC BY-SA 3.0, MIT, by genre"
    citation = "Williams et al. 2018, A Broad-Coverage Challenge Corpus for Sentence Understanding"
    url = "https://cims.nyu.edu/~sbowman/multinli"

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        own = super().files(source, split, language)
        if source.kind != "xtreme" or split != "train" or is_there(own[0]):
            return own
        shared = root(source) / f"xnli/train-{language}.tsv"
        return (shared,) if is_there(shared) else own

    def available(self, source: DataSource, split: Split) -> tuple[str, ...]:
        if source.kind == "xtreme" and split == "train":
            return ("en",) if is_there(self.files(source, split, "en")[0]) else ()
        return super().available(source, split)

    def embedded_splits(self) -> tuple[Split, ...]:
        return ("train",)

    def hub_config(self, language: str) -> str:
        return "default"

    def embedded_rows(self, suite: ModuleType, split: Split, language: str) -> Sequence[Example]:
        rows: Sequence[Example] = suite.nli("intermediate", language)
        return rows


TASK = Mnli()
