"""SQuAD 2.0 (squad2): SQuAD with questions the paragraph does not answer, 130,319 to train on.

>>> TASK.load(DataSource("xtreme", Path("data")), "dev", "en")[0].answers[0].text
'France'

A question without an answer has the empty text as its one answer. It is trained on as the span of
`<s>` alone, and a model answers nothing where that span scores higher than the best other one: a
threshold of 0, none is fitted on dev rows. Exact match and F1 are those of the official
`evaluate-v2.0.py`, over all questions.

The head is that of the other tasks of questions and carries over to them; rows of those are read as
having an answer each, so there the model always says one.

Paper: Rajpurkar et al. 2018, arXiv:1806.03822. As an intermediate task: Phang et al. 2020,
arXiv:2005.13013.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from evalsuite.data.answer_forms import squad as normal
from evalsuite.data.hub import Row
from evalsuite.task import (
    NO_ANSWER,
    Answer,
    Example,
    HubSource,
    OptionalSpanExample,
    SpanExample,
    Split,
)
from transfer.intermediate.squad import Squad


class Squad2(Squad):
    """The SQuAD 2.0 task."""

    name = "squad2"
    title = "SQuAD 2.0"
    places: ClassVar[dict[Split, tuple[str, ...]]] = {
        "train": ("squad2/train-v2.0.json", "squad2/train-en.json"),
        "dev": ("squad2/dev-v2.0.json", "squad2/dev-en.json"),
    }
    hub: HubSource | None = HubSource(
        "rajpurkar/squad_v2", "3ffb306f725f7d2ce8394bc1873b24868140c412"
    )
    hub_training = "squad_v2"
    layout = "squad2/train-v2.0.json, squad2/dev-v2.0.json (or train-en.json, dev-en.json)"
    citation = "Rajpurkar et al. 2018, Know What You Don't Know: Unanswerable Questions for SQuAD"

    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        return [_optional(row) for row in super().read(paths, split, language)]

    def from_row(self, row: Row, id: str) -> Example:
        return _optional(super().from_row(row, id))


def _optional(example: Example) -> Example:
    """The same; without answers, or with none that has a word left, it has the empty one."""
    assert isinstance(example, SpanExample)
    said = tuple(answer for answer in example.answers if normal(answer.text))
    answers = said or (Answer(NO_ANSWER, -1),)
    return OptionalSpanExample(example.id, example.question, example.context, answers)


TASK = Squad2()
