"""PAN-X (WikiANN): persons, organisations and locations in Wikipedia, 48 languages.

>>> TASK.load(DataSource("xtreme", Path("data")), "dev", "de")[0]
TagExample(id='dev-de-0', words=('Anton', 'Wilhelm', 'von'), tags=('B-PER', 'I-PER', 'I-PER'))

The raw WikiANN files write each word as `de:Anton`. The prefix is taken off where every word of
the file has it, so that a word such as `de:facto` in a clean file stays whole.

Languages: `PANX_LANGUAGES` in `utils_preprocess.py` of google-research/xtreme at 0918248 (XTREME's
40 and az, gu, lt, pa, pl, qu, ro, uk). The hub copy is XTREME's, with the 40 only.

Papers: Pan et al. 2017 (ACL P17-1178); splits of Rahimi et al. 2019, arXiv:1902.00193.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from evalsuite.data.hub import XTREME
from evalsuite.data.tagging import TaggingTask
from evalsuite.task import Example, HubSource, Split, TagExample


class PanX(TaggingTask):
    """The PAN-X task."""

    name = "panx"
    title = "PAN-X"
    languages = (
        *("af", "ar", "az", "bg", "bn", "de", "el", "en", "es", "et", "eu", "fa", "fi"),
        *("fr", "gu", "he", "hi", "hu", "id", "it", "ja", "jv", "ka", "kk", "ko", "lt"),
        *("ml", "mr", "ms", "my", "nl", "pa", "pl", "pt", "qu", "ro", "ru", "sw", "ta"),
        *("te", "th", "tl", "tr", "uk", "ur", "vi", "yo", "zh"),
    )
    labels = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
    hub: HubSource | None = XTREME
    hub_languages = tuple(
        code for code in languages if code not in {"az", "gu", "lt", "pa", "pl", "qu", "ro", "uk"}
    )
    tag_column = "ner_tags"
    file = "panx/{split}-{language}.tsv"
    layout = "panx/train-en.tsv, panx/dev-<lang>.tsv, panx/test-<lang>.tsv"
    licence = "ODC-BY"
    citation = "Pan et al. 2017, Cross-lingual Name Tagging and Linking for 282 Languages"
    url = "https://github.com/afshinrahimi/mmner"

    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        examples = super().read(paths, split, language)
        return without_prefix(examples, f"{language}:")

    def hub_config(self, language: str) -> str:
        return f"PAN-X.{language}"

    def embedded_rows(self, suite: ModuleType, split: Split, language: str) -> Sequence[Example]:
        rows: Sequence[Example] = suite.ner(split, language)
        return rows


def without_prefix(examples: list[Example], prefix: str) -> list[Example]:
    """Take `de:` off all words if all have it; a word that is nothing else keeps it."""
    sentences = [example for example in examples if isinstance(example, TagExample)]
    if not all(word.startswith(prefix) for example in sentences for word in example.words):
        return examples
    return [
        replace(example, words=tuple(word.removeprefix(prefix) or word for word in example.words))
        for example in sentences
    ]


TASK = PanX()
