"""SQuAD: questions on Wikipedia paragraphs, version 1.1, 87,599 training questions.

>>> TASK.load(DataSource("xtreme", Path("data")), "dev", "en")[0].answers[0].text
'Denver Broncos'

What XQuAD and MLQA are trained on, under its own name; each of its questions has an answer. The
head carries over to the benchmark's tasks of questions.

Paper: Rajpurkar et al. 2016, arXiv:1606.05250. As an intermediate task: Phang et al. 2020,
arXiv:2005.13013.
"""

from __future__ import annotations

from typing import ClassVar

from evalsuite.data.sourced import NotEmbedded
from evalsuite.data.squad import SpanTask
from evalsuite.task import HubSource, Split


class Squad(NotEmbedded, SpanTask):
    """The SQuAD 1.1 task."""

    name = "squad"
    title = "SQuAD 1.1"
    languages = ("en",)
    eval_splits: tuple[Split, ...] = ("dev",)
    places: ClassVar[dict[Split, tuple[str, ...]]] = {
        "train": ("squad/train-v1.1.json", "squad/train-en.json"),
        "dev": ("squad/dev-v1.1.json", "squad/dev-en.json"),
    }
    hub: HubSource | None = HubSource("rajpurkar/squad", "7b6d24c440a36b6815f21b70d25016731768db1f")
    hub_splits: ClassVar[dict[Split, str]] = {"train": "train", "dev": "validation"}
    hub_training = "plain_text"
    layout = "squad/train-v1.1.json, squad/dev-v1.1.json (or train-en.json, dev-en.json)"
    licence = "CC BY-SA 4.0"
    citation = "Rajpurkar et al. 2016, SQuAD: 100,000+ Questions for Machine Comprehension of Text"
    url = "https://rajpurkar.github.io/SQuAD-explorer"

    def hub_config(self, language: str) -> str:
        return self.hub_training


TASK = Squad()
