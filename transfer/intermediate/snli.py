"""SNLI: natural language inference about what a picture shows, English.

>>> TASK.load(DataSource("xtreme", Path("data")), "train", "en")[0].label
'neutral'

The embedded suite has none.

Paper: Bowman et al. 2015, arXiv:1508.05326.
"""

from __future__ import annotations

from evalsuite.data.nli import NliTask
from evalsuite.data.sourced import NotEmbedded
from evalsuite.task import HubSource, Split


class Snli(NotEmbedded, NliTask):
    """The SNLI task."""

    name = "snli"
    title = "SNLI"
    languages = ("en",)
    eval_splits: tuple[Split, ...] = ("test", "dev")
    hub: HubSource | None = HubSource(
        "stanfordnlp/snli", "cdb5c3d5eed6ead6e5a341c8e56e669bb666725b"
    )
    file = "snli/{split}-{language}.tsv"
    layout = "snli/train-en.tsv (premise, hypothesis, label)"
    licence = "CC BY-SA 4.0"
    citation = (
        "Bowman et al. 2015, A Large Annotated Corpus for Learning Natural Language Inference"
    )
    url = "https://nlp.stanford.edu/projects/snli"

    def hub_config(self, language: str) -> str:
        return "plain_text"


TASK = Snli()
