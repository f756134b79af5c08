"""SIQA: questions about what people do and feel, three answers, 33,410 to train on.

>>> TASK.load(DataSource("xtreme", Path("data")), "dev", "en")[0].choices
('Take the entrance exam', 'Train to become a monk', 'Make new friends')

XTREME-R trains on it before COPA for XCOPA (Ruder et al. 2021, arXiv:2104.07412). The published
files keep the labels apart, one of 1 to 3 a line, in `train-labels.lst` next to `train.jsonl`.

Paper: Sap et al. 2019, arXiv:1904.09728. The hub copy is the hub's own conversion of the published
files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from evalsuite.data import files
from evalsuite.data.choices import ChoiceTask, number, text
from evalsuite.data.hub import Row
from evalsuite.errors import MalformedRowError
from evalsuite.task import ChoiceExample, DataSource, HubSource, Split


class Siqa(ChoiceTask):
    """The Social IQa task."""

    name = "siqa"
    title = "Social IQa"
    row = "context, question, answerA, answerB and answerC, its label (1 to 3) in the other file"
    places: ClassVar[dict[Split, tuple[str, ...]]] = {
        split: (f"siqa/{split}-en.jsonl", f"siqa/{split}.jsonl", f"siqa/{folder}/{split}.jsonl")
        for folder in ("socialiqa-train-dev",)
        for split in ("train", "dev")
    }
    hub: HubSource | None = HubSource(
        "allenai/social_i_qa", "537a2ec8ec565adc0b70b70752893e59e024df26"
    )
    layout = (
        "siqa/train-en.jsonl, siqa/train-en-labels.lst, the same of dev "
        "(or [socialiqa-train-dev/]train.jsonl, train-labels.lst, as published)"
    )
    licence = "CC BY 4.0"
    citation = "Sap et al. 2019, Social IQa: Commonsense Reasoning about Social Interactions"
    url = "https://leaderboard.allenai.org/socialiqa"

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        found = super().files(source, split, language)
        return (*found, *(path.with_name(f"{path.stem}-labels.lst") for path in found))

    def rows(self, paths: Sequence[Path], split: Split) -> Iterable[tuple[int, Any]]:
        path, labels_path = paths
        what = self.what(split, "en")
        labels = files.lines(labels_path, what, self.layout)
        rows = list(files.objects(path, what, self.layout))
        if len(rows) != len(labels):
            raise MalformedRowError(
                labels_path,
                min(len(rows), len(labels)) + 1,
                f"{len(labels):,} labels for {len(rows):,} rows of {path.name}",
            )
        for (line, row), label in zip(rows, labels, strict=True):
            yield line, {**row, "label": label.strip()}

    def example(self, row: Row, id: str) -> ChoiceExample:
        choices = tuple(text(row, f"answer{letter}", blank=True) for letter in "ABC")
        label = number(row["label"], 3, first=1)
        return ChoiceExample(id, text(row, "context"), text(row, "question"), choices, label)


TASK = Siqa()
