"""Tatoeba: find a sentence's English translation among up to 1,000, by embedding; 41 languages.

>>> TASK.load(DataSource("xtreme", Path("data")), "test", "af")[0]
ParallelExample(id='test-af-0', foreign='Haar Engels is uitstekend.',
                english='Her English is excellent.')

A trap: the XTREME scripts write `af-en.af` and `af-en.en` with the English side sorted, which
hides the alignment. Read as aligned they score 0.1%, so they are refused; the LASER originals
(`tatoeba.afr-eng.afr`, `tatoeba.afr-eng.eng`) are read.

Languages: `lang3_dict` in `utils_preprocess.py` of google-research/xtreme at 0918248, less English
(XTREME's 36 and az, lt, pl, ro, uk). The hub copy is MTEB's, as gzipped JSON lines, all 41.

Paper: Artetxe and Schwenk 2019, arXiv:1812.10464.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import ClassVar

from evalsuite.data import files
from evalsuite.data.hub import Row
from evalsuite.data.mistaken import is_there
from evalsuite.data.sourced import SourcedTask, root
from evalsuite.errors import DataError
from evalsuite.languages import LANGUAGES, get
from evalsuite.task import DataSource, Example, Format, HubSource, ParallelExample, Split


class Tatoeba(SourcedTask):
    """The Tatoeba task; rows are in `test`, and nothing is trained."""

    name = "tatoeba"
    title = "Tatoeba"
    format: Format = "retrieval"
    by_embedding: bool = True
    languages = (
        *("af", "ar", "az", "bg", "bn", "de", "el", "es", "et", "eu", "fa", "fi", "fr", "he"),
        *("hi", "hu", "id", "it", "ja", "jv", "ka", "kk", "ko", "lt", "ml", "mr", "nl", "pl"),
        *("pt", "ro", "ru", "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "zh"),
    )
    metric = "retrieval_accuracy"
    eval_splits: tuple[Split, ...] = ("test",)
    trains_on = False
    hub: HubSource | None = HubSource(
        "mteb/tatoeba-bitext-mining", "69e8f12da6e31d59addadda9a9c8a2e601a0e282"
    )
    hub_splits: ClassVar[dict[Split, str]] = {"test": "test"}
    layout = "tatoeba/tatoeba.<lang3>-eng.<lang3> and tatoeba/tatoeba.<lang3>-eng.eng (from LASER)"
    licence = "CC BY 2.0"
    citation = "Artetxe and Schwenk 2019, Massively Multilingual Sentence Embeddings"
    url = "https://github.com/facebookresearch/LASER/tree/main/data/tatoeba/v1"

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        if source.kind != "xtreme":
            return ()
        code = get(language).iso3
        folder = root(source) / "tatoeba"
        return tuple(folder / f"tatoeba.{code}-eng.{side}" for side in (code, "eng"))

    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        foreign, english = paths
        hidden = foreign.with_name(f"{language}-en.{language}")
        if not foreign.exists() and hidden.exists():
            raise DataError(
                f"{hidden}: the XTREME scripts wrote this file's English side sorted, to hide the "
                "alignment, so it cannot be scored\n"
                f"put LASER's originals next to it, {foreign.name} and {english.name}, "
                f"from {self.url}"
            )
        rows = files.aligned(foreign, english, self.what(split, language), self.layout)
        return [
            ParallelExample(f"{split}-{language}-{line - 1}", first, second)
            for line, first, second in rows
        ]

    def _in_directory(self, source: DataSource, split: Split) -> Iterable[str]:
        if split != "test":
            return
        for code in LANGUAGES:
            if code != "en" and any(map(is_there, self.files(source, split, code))):
                yield code

    def embedded_splits(self) -> tuple[Split, ...]:
        return ("test",)

    def _in_suite(self, split: Split) -> Iterable[str]:
        return (code for code in super()._in_suite(split) if code != "en")

    def hub_config(self, language: str) -> str:
        return f"{LANGUAGES[language].iso3}-eng"

    def from_row(self, row: Row, id: str) -> Example | None:
        return ParallelExample(id, row["sentence1"].strip(), row["sentence2"].strip())

    def embedded_rows(self, suite: ModuleType, split: Split, language: str) -> Sequence[Example]:
        rows: Sequence[Example] = suite.parallel("test", language)
        return rows


TASK = Tatoeba()
