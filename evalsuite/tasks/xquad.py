"""XQuAD: questions on Wikipedia paragraphs, translated from SQuAD into eleven languages.

>>> TASK.load(DataSource("xtreme", Path("data")), "test", "de")[0].answers
(Answer(text='308', start=38),)

1,190 questions a language, the same in all, trained on English SQuAD 1.1. Romanian came later, with
XTREME-R. Scored with SQuAD's own normalisation in every language, as the benchmark does.

Paper: Artetxe et al. 2020, arXiv:1910.11856.
"""

from __future__ import annotations

from typing import ClassVar

from evalsuite.data.hub import XTREME
from evalsuite.data.squad import SpanTask
from evalsuite.task import HubSource, Split


class Xquad(SpanTask):
    """The XQuAD task."""

    name = "xquad"
    title = "XQuAD"
    languages = ("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh")
    hub_languages = tuple(code for code in languages if code != "ro")
    eval_splits: tuple[Split, ...] = ("test",)
    places: ClassVar[dict[Split, tuple[str, ...]]] = {
        "train": ("squad/train-v1.1.json",),
        "test": ("xquad/xquad.{language}.json",),
    }
    hub: HubSource | None = XTREME
    hub_splits: ClassVar[dict[Split, str]] = {"train": "train", "test": "validation"}
    hub_training = "SQuAD"
    layout = "squad/train-v1.1.json, xquad/xquad.<lang>.json"
    licence = "CC BY-SA 4.0"
    citation = "Artetxe et al. 2020, On the Cross-lingual Transferability of Representations"
    url = "https://github.com/google-deepmind/xquad"

    def hub_config(self, language: str) -> str:
        return f"XQuAD.{language}"


TASK = Xquad()
