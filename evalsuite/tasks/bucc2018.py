"""BUCC 2018: find the sentences of two comparable corpora that are translations; four languages.

de-000000001 TAB Der Rat tagte.    bucc2018/de-en.dev.de, and the same for de-en.dev.en
de-000000001 TAB en-000000007      bucc2018/de-en.dev.gold

Pairs are mined by ratio margin (`evalsuite.retrieval.ratio_margin`), and those above a threshold
are taken. The threshold is the one that is best on dev. The XTREME scripts make dev of BUCC's
sample and test of its training set, and delete the gold pairs of test: where they were not put
back, dev is scored, and its threshold is fitted on the very rows that are scored. The title of
a result says it.

There is no hub copy: google/xtreme's (`bucc18.de`) has the gold pairs without the corpora around
them, MTEB's corpora have no dev split.

Papers: Zweigenbaum et al. 2018 (BUCC); Hu et al. 2020, arXiv:2003.11080 (XTREME).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from evalsuite.data import files
from evalsuite.data.mining import MiningTask
from evalsuite.data.mistaken import is_there
from evalsuite.data.sourced import root
from evalsuite.errors import MalformedRowError
from evalsuite.task import Candidate, DataSource, Example, MiningExample, Split


class Bucc2018(MiningTask):
    """The BUCC 2018 task; rows are in `dev` and `test`, and nothing is trained."""

    name = "bucc2018"
    title = "BUCC 2018"
    languages = ("de", "fr", "ru", "zh")
    layout = (
        "bucc2018/<lang>-en.<split>.<lang>, .en and .gold (the XTREME scripts delete test.gold, "
        "which is BUCC's training.gold)"
    )
    licence = "made from Wikipedia (CC BY-SA 3.0) and News Commentary"
    citation = (
        "Zweigenbaum et al. 2018, Overview of the Third BUCC Shared Task: Spotting Parallel "
        "Sentences in Comparable Corpora"
    )
    url = "https://comparable.limsi.fr/bucc2018/bucc2018-task.html"

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        """Foreign side, English side, gold pairs; then those the threshold is fitted on."""
        if source.kind != "xtreme":
            return ()
        splits = dict.fromkeys((split, self.fitted_on))
        return tuple(path for each in splits for path in _files(source, each, language))

    def _in_directory(self, source: DataSource, split: Split) -> Iterable[str]:
        for code in self.languages:
            paths = _files(source, split, code)
            if any(map(is_there, paths if split == self.fitted_on else paths[2:])):
                yield code

    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        foreign, english, gold = paths[:3]
        what = self.what(split, language)
        sentences = dict(self._columns(foreign, what))
        known = {id for id, _ in self._columns(english, what)}
        partners: dict[str, list[str]] = {id: [] for id in sentences}
        for line, (one, other) in enumerate(self._columns(gold, what), 1):
            if one not in partners or other not in known:
                strange, where = (other, english) if one in partners else (one, foreign)
                raise MalformedRowError(gold, line, f"{strange!r} is no sentence of {where.name}")
            partners[one].append(other)
        return [
            MiningExample(id, text, tuple(dict.fromkeys(partners[id])))
            for id, text in sentences.items()
        ]

    def candidates(self, source: DataSource, split: Split, language: str) -> Iterator[Candidate]:
        if source.kind == "embedded":
            from evalsuite.data.embedded import generate as embedded

            yield from embedded.comparable(split, language)[1]
            return
        path = _files(source, split, language)[1]
        for id, text in self._columns(path, self.what(split, language)):
            yield Candidate(id, text)

    def _columns(self, path: Path, what: str) -> Iterator[tuple[str, str]]:
        for number, line in enumerate(files.lines(path, what, self.layout), 1):
            id, tab, rest = line.partition("\t")
            if not (id.strip() and tab):
                raise MalformedRowError(path, number, "an id, a tab and a sentence or id are due")
            yield id.strip(), rest.split("\t")[0].strip()

    def embedded_splits(self) -> tuple[Split, ...]:
        return ("dev", "test")

    def _in_suite(self, split: Split) -> Iterable[str]:
        return (code for code in super()._in_suite(split) if code != "en")

    def embedded_rows(self, suite: ModuleType, split: Split, language: str) -> Sequence[Example]:
        rows: Sequence[Example] = suite.comparable(split, language)[0]
        return rows


def _files(source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
    folder = root(source) / "bucc2018"
    return tuple(folder / f"{language}-en.{split}.{end}" for end in (language, "en", "gold"))


TASK = Bucc2018()
