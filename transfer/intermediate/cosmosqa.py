"""Cosmos QA (cosmosqa): what a story does not say, four answers a question, 25,262 to train on.

>>> TASK.load(DataSource("xtreme", Path("data")), "dev", "en")[0].question
'Why is this person asking about divorce ?'

A story from a blog, a question and four answers, of which one is often that none of the others is
right.

Paper: Huang et al. 2019, arXiv:1909.00277. As an intermediate task: Phang et al. 2020,
arXiv:2005.13013. The hub copy is the hub's own conversion of the published files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from evalsuite.data import files
from evalsuite.data.choices import ChoiceTask, number, text
from evalsuite.data.hub import Row
from evalsuite.task import ChoiceExample, HubSource, Split

_ANSWERS = ("answer0", "answer1", "answer2", "answer3")


class CosmosQa(ChoiceTask):
    """The Cosmos QA task."""

    name = "cosmosqa"
    title = "Cosmos QA"
    row = "id, context, question, answer0 to answer3 and label (0 to 3)"
    places: ClassVar[dict[Split, tuple[str, ...]]] = {
        "train": ("cosmosqa/train-en.csv", "cosmosqa/train.csv"),
        "dev": ("cosmosqa/valid-en.csv", "cosmosqa/valid.csv", "cosmosqa/dev-en.csv"),
    }
    hub: HubSource | None = HubSource(
        "allenai/cosmos_qa", "ed50fe83db62b355759053b1cd5eef344ee371e0"
    )
    layout = "cosmosqa/train-en.csv, cosmosqa/valid-en.csv (or train.csv, valid.csv, as published)"
    licence = "CC BY 4.0"
    citation = "Huang et al. 2019, Cosmos QA: Machine Reading Comprehension with Commonsense"
    url = "https://wilburone.github.io/cosmos"

    def rows(self, paths: Sequence[Path], split: Split) -> Iterable[tuple[int, Any]]:
        needed = ("context", "question", *_ANSWERS, "label")
        return files.table(paths[0], self.what(split, "en"), self.layout, needed, quoted=True)

    def example(self, row: Row, id: str) -> ChoiceExample:
        choices = tuple(text(row, key, blank=True) for key in _ANSWERS)
        label = number(row["label"], 4)
        return ChoiceExample(id, text(row, "context"), text(row, "question"), choices, label)


TASK = CosmosQa()
