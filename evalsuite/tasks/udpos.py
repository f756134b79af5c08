"""UD-POS: the part of speech of each word, 17 universal tags, 38 languages.

>>> TASK.load(DataSource("xtreme", Path("data")), "test", "de")[0]
TagExample(id='test-de-0', words=('Ein', 'Großteil', 'des'), tags=('DET', 'NOUN', 'DET'))

The main metric is the benchmark's own, chunk F1 over part-of-speech tags; the text of
`evalsuite.metrics._chunks` says what is odd about it. Token accuracy is scored too.

Languages: `langs` in `scripts/download_data.sh` of google-research/xtreme at 0918248 (XTREME's 33
and lt, pl, ro, uk, wo; the training script of that commit does not predict wo).
XTREME-R takes UD 2.7. The hub copy is XTREME's UD 2.5 in the 33 languages, four of them with a test
split and no dev split; its tag names are read from the copy itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from evalsuite.data.hub import XTREME
from evalsuite.data.tagging import TaggingTask
from evalsuite.languages import LANGUAGES
from evalsuite.task import DataSource, Example, HubSource, Split

_NO_DEV = ("kk", "th", "tl", "yo")


class UdPos(TaggingTask):
    """The UD-POS task."""

    name = "udpos"
    title = "UD-POS"
    languages = (
        *("af", "ar", "bg", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "he"),
        *("hi", "hu", "id", "it", "ja", "kk", "ko", "lt", "mr", "nl", "pl", "pt", "ro"),
        *("ru", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "wo", "yo", "zh"),
    )
    labels = (
        *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"),
        *("PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"),
    )
    hub: HubSource | None = XTREME
    hub_languages = tuple(code for code in languages if code not in {"lt", "pl", "ro", "uk", "wo"})
    tag_column = "pos_tags"
    file = "udpos/{split}-{language}.tsv"
    layout = "udpos/train-en.tsv, udpos/dev-<lang>.tsv, udpos/test-<lang>.tsv"
    licence = "by treebank, mostly CC BY-SA"
    citation = "Zeman et al. 2020, Universal Dependencies 2.7"
    url = "https://universaldependencies.org"

    def available(self, source: DataSource, split: Split) -> tuple[str, ...]:
        found = super().available(source, split)
        if source.kind == "hub" and split == "dev":
            return tuple(code for code in found if code not in _NO_DEV)
        return found

    def hub_config(self, language: str) -> str:
        return f"udpos.{LANGUAGES[language].name}"

    def embedded_rows(self, suite: ModuleType, split: Split, language: str) -> Sequence[Example]:
        rows: Sequence[Example] = suite.pos(split, language)
        return rows


TASK = UdPos()
