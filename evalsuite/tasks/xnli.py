"""XNLI: does a premise entail a hypothesis? 15 languages, trained on English MNLI.

>>> TASK.load(DataSource("xtreme", Path("data")), "dev", "de")[0]
PairExample(id='dev-de-0', first='und er hat gesagt, Mama ich bin daheim.',
            second='Er rief seine Mutter an, sobald er aus dem Schulbus stieg.', label='neutral')

2,490 dev and 5,010 test rows a language. The XTREME scripts write MNLI as `train-en.tsv` and hide
the labels of the test files (two columns); on such a directory the dev split is scored. Training
rows in the other languages are MNLI translated by machine, on the hub and in XNLI-MT, whose
`multinli.train.<lang>.tsv` are read as `train-<lang>.tsv`.

Paper: Conneau et al. 2018, arXiv:1809.05053.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from evalsuite.data.nli import NliTask
from evalsuite.task import Example, HubSource, Split


class Xnli(NliTask):
    """The XNLI task."""

    name = "xnli"
    title = "XNLI"
    languages = (
        *("ar", "bg", "de", "el", "en", "es", "fr", "hi"),
        *("ru", "sw", "th", "tr", "ur", "vi", "zh"),
    )
    hub: HubSource | None = HubSource("facebook/xnli", "b8dd5d7af51114dbda02c0e3f6133f332186418e")
    file = "xnli/{split}-{language}.tsv"
    hub_training_languages = languages
    layout = "xnli/train-<lang>.tsv, xnli/dev-<lang>.tsv, xnli/test-<lang>.tsv"
    licence = "CC BY-NC 4.0"
    citation = "Conneau et al. 2018, XNLI: Evaluating Cross-lingual Sentence Representations"
    url = "https://github.com/facebookresearch/XNLI"

    def what(self, split: Split, language: str) -> str:
        """Says where else to train, since the training file is the one people lack."""
        text = super().what(split, language)
        if split != "train":
            return text
        if language != "en":
            return (
                f"{text} (MNLI translated: XNLI-MT's multinli.train.{language}.tsv under that name)"
            )
        return f"{text} (English MNLI; without it, train on the `snli` intermediate task instead)"

    def hub_config(self, language: str) -> str:
        return language

    def embedded_rows(self, suite: ModuleType, split: Split, language: str) -> Sequence[Example]:
        rows: Sequence[Example] = suite.nli(split, language)
        return rows


TASK = Xnli()
