"""CommonsenseQA: questions without a text, five answers, 9,741 to train on.

>>> TASK.load(DataSource("xtreme", Path("data")), "dev", "en")[0].choices
('bank', 'library', 'department store', 'mall', 'new york')

The answers are neighbours of one concept in ConceptNet. The split is the random one.

Paper: Talmor et al. 2019, arXiv:1811.00937. As an intermediate task: Phang et al. 2020,
arXiv:2005.13013.
"""

from __future__ import annotations

from typing import Any, ClassVar

from evalsuite.data.choices import ChoiceTask, text
from evalsuite.data.hub import Row
from evalsuite.task import ChoiceExample, HubSource, Split

_LETTERS = "ABCDE"


class CommonsenseQa(ChoiceTask):
    """The CommonsenseQA task."""

    name = "commonsenseqa"
    title = "CommonsenseQA"
    row = "question (with stem and choices, each of label A to E and text) and answerKey"
    places: ClassVar[dict[Split, tuple[str, ...]]] = {
        "train": ("commonsenseqa/train-en.jsonl", "commonsenseqa/train_rand_split.jsonl"),
        "dev": ("commonsenseqa/dev-en.jsonl", "commonsenseqa/dev_rand_split.jsonl"),
    }
    hub: HubSource | None = HubSource(
        "tau/commonsense_qa", "94630fe30dad47192a8546eb75f094926d47e155"
    )
    layout = (
        "commonsenseqa/train-en.jsonl, commonsenseqa/dev-en.jsonl "
        "(or train_rand_split.jsonl, dev_rand_split.jsonl, as published)"
    )
    licence = "MIT"
    citation = (
        "Talmor et al. 2019, CommonsenseQA: A Question Answering Challenge Targeting Commonsense "
        "Knowledge"
    )
    url = "https://www.tau-nlp.sites.tau.ac.il/commonsenseqa"

    def example(self, row: Row, id: str) -> ChoiceExample:
        question = row["question"]
        if isinstance(question, str):  # the hub's columns
            stem, choices = text(row, "question"), _hub_choices(row["choices"])
        else:
            stem, choices = text(question, "stem"), question["choices"]
        if [choice["label"] for choice in choices] != list(_LETTERS):
            raise ValueError("choices are not those of A to E, in order")
        said = tuple(text(choice, "text", blank=True) for choice in choices)
        key = row.get("answerKey")  # absent or empty in the test file
        return ChoiceExample(id, "", stem, said, _LETTERS.index(key) if key else None)


def _hub_choices(columns: Any) -> list[dict[str, str]]:
    pairs = zip(columns["label"], columns["text"], strict=True)
    return [{"label": label, "text": said} for label, said in pairs]


TASK = CommonsenseQa()
