"""PAWS-X: do two sentences of nearly the same words mean the same? Seven languages.

>>> TASK.load(DataSource("xtreme", Path("data")), "dev", "de")[0].label
'1'

2,000 dev and 2,000 test rows a language, trained on the English PAWS-Wiki (49,401 pairs), of which
there are machine translations. `1` is a paraphrase, `0` is none. The XTREME scripts hide the labels
of the test files (two columns); on such a directory the dev split is scored. Part of XTREME;
XTREME-R left it out. Translated training rows with both sentences empty, as published, are left
out and counted.

Paper: Yang et al. 2019, arXiv:1908.11828.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from evalsuite.data.hub import XTREME, Row
from evalsuite.data.pairs import PairTask
from evalsuite.task import Example, HubSource, PairExample, Split


class Pawsx(PairTask):
    """The PAWS-X task."""

    name = "pawsx"
    title = "PAWS-X"
    languages = ("de", "en", "es", "fr", "ja", "ko", "zh")
    labels = ("0", "1")
    file = "pawsx/{split}-{language}.tsv"
    hub: HubSource | None = XTREME
    hub_training_languages = languages
    layout = "pawsx/train-<lang>.tsv, pawsx/dev-<lang>.tsv, pawsx/test-<lang>.tsv"
    licence = "free use for any purpose, see its page"
    citation = "Yang et al. 2019, PAWS-X: A Cross-lingual Adversarial Dataset"
    url = "https://github.com/google-research-datasets/paws/tree/master/pawsx"

    def hub_config(self, language: str) -> str:
        return f"PAWS-X.{language}"

    def defect(self, first: str, second: str, label: str | None) -> str | None:
        return None if first or second else "both sentences are empty"

    def from_row(self, row: Row, id: str) -> Example | None:
        if not (row["sentence1"].strip() or row["sentence2"].strip()):
            return None
        return PairExample(id, row["sentence1"], row["sentence2"], str(row["label"]))

    def embedded_rows(self, suite: ModuleType, split: Split, language: str) -> Sequence[Example]:
        rows: Sequence[Example] = suite.paraphrases(split, language)
        return rows


TASK = Pawsx()
