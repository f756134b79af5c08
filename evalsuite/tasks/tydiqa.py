"""TyDiQA-GoldP: questions asked by speakers of nine languages who wanted to know.

>>> TASK.load(DataSource("xtreme", Path("data")), "train", "en")[0].question
'Is Creole a pidgin of French?'

The gold-passage task: each context holds the answer. Trained on the English part; the benchmark
scores the dev files. The training files of other languages are read too (`split: train`).

Paper: Clark et al. 2020, arXiv:2003.05002.
"""

from __future__ import annotations

from typing import ClassVar

from evalsuite.data.hub import XTREME, Row
from evalsuite.data.squad import SpanTask
from evalsuite.languages import LANGUAGES
from evalsuite.task import HubSource, Split


class Tydiqa(SpanTask):
    """The TyDiQA-GoldP task."""

    name = "tydiqa"
    title = "TyDiQA-GoldP"
    languages = ("ar", "bn", "en", "fi", "id", "ko", "ru", "sw", "te")
    eval_splits: tuple[Split, ...] = ("dev",)
    places: ClassVar[dict[Split, tuple[str, ...]]] = {
        "train": (
            "tydiqa/tydiqa-goldp-v1.1-train/tydiqa.goldp.{language}.train.json",
            "tydiqa/tydiqa.goldp.{language}.train.json",
        ),
        "dev": (
            "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.goldp.{language}.dev.json",
            "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.{language}.dev.json",
            "tydiqa/tydiqa.goldp.{language}.dev.json",
        ),
    }
    hub: HubSource | None = XTREME
    hub_splits: ClassVar[dict[Split, str]] = {"train": "train", "dev": "validation"}
    hub_training = "tydiqa"
    hub_training_languages = languages
    layout = (
        "tydiqa/[tydiqa-goldp-v1.1-train/]tydiqa.goldp.<lang>.train.json, "
        "tydiqa/[tydiqa-goldp-v1.1-dev/]tydiqa.goldp.<lang>.dev.json"
    )
    licence = "Apache 2.0"
    citation = "Clark et al. 2020, TyDi QA: A Benchmark for Information-Seeking Question Answering"
    url = "https://github.com/google-research-datasets/tydiqa"

    def hub_config(self, language: str) -> str:
        return "tydiqa"

    def is_of(self, row: Row, language: str) -> bool:
        """By its id, which begins with the language's name."""
        return str(row["id"]).startswith(LANGUAGES[language].name.lower())


TASK = Tydiqa()
