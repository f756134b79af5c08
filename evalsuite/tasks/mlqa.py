"""MLQA: questions on Wikipedia paragraphs in seven languages; trained on English SQuAD 1.1.

>>> TASK.load(DataSource("xtreme", Path("data")), "dev", "zh")[0].id
'5cb7d1b2...'

Question and context are of one language here, as in the benchmark. Answers are normalised by
MLQA's own rules for the language (articles, Unicode punctuation, every Han character a token).

Paper: Lewis et al. 2020, arXiv:1910.07475.
"""

from __future__ import annotations

from typing import ClassVar

from evalsuite.data.answer_forms import Normal, mlqa
from evalsuite.data.hub import XTREME
from evalsuite.data.squad import SpanTask
from evalsuite.task import HubSource, Split

_FILE = "{split}-context-{{language}}-question-{{language}}.json"


class Mlqa(SpanTask):
    """The MLQA task."""

    name = "mlqa"
    title = "MLQA"
    languages = ("ar", "de", "en", "es", "hi", "vi", "zh")
    places: ClassVar[dict[Split, tuple[str, ...]]] = {
        "train": ("squad/train-v1.1.json",),
        "dev": (
            "mlqa/MLQA_V1/dev/" + _FILE.format(split="dev"),
            "mlqa/" + _FILE.format(split="dev"),
        ),
        "test": (
            "mlqa/MLQA_V1/test/" + _FILE.format(split="test"),
            "mlqa/" + _FILE.format(split="test"),
        ),
    }
    hub: HubSource | None = XTREME
    hub_training = "SQuAD"
    layout = (
        "squad/train-v1.1.json, mlqa/[MLQA_V1/<split>/]<split>-context-<lang>-question-<lang>.json"
    )
    licence = "CC BY-SA 3.0"
    citation = "Lewis et al. 2020, MLQA: Evaluating Cross-lingual Extractive Question Answering"
    url = "https://github.com/facebookresearch/MLQA"

    def normal(self, language: str) -> Normal:
        return mlqa(language)

    def hub_config(self, language: str) -> str:
        return f"MLQA.{language}.{language}"


TASK = Mlqa()
