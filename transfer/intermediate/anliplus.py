"""ANLI+ (anliplus): adversarial NLI, three rounds of it, with MNLI and SNLI: 1.1M training pairs.

>>> TASK.load(DataSource("xtreme", Path("data")), "train", "en")[0].id
'r1-train-en-0'

ANLI was written to be trained on together with the other two (Nie et al. 2020, arXiv:1910.14599),
and is so as an intermediate task (Phang et al. 2020, arXiv:2005.13013). Rows come in that order, so
the first ones alone are of ANLI's first round. The dev split holds all three too: 3,200 rows of
ANLI, MNLI's matched ones, SNLI's.

ANLI's files are those of `anli_v1.0.zip`, one JSON object a line with `context`, `hypothesis` and
`label` (`e`, `n` or `c`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from evalsuite.data import files, hub
from evalsuite.data.choices import text
from evalsuite.data.nli import NliTask
from evalsuite.data.sourced import EnglishTask, first_there, root
from evalsuite.errors import MalformedRowError
from evalsuite.task import DataSource, Example, HubSource, PairExample, Split
from transfer.intermediate import mnli, snli

_WITH = (mnli.TASK, snli.TASK)
_ROUNDS = (1, 2, 3)


class AnliPlus(EnglishTask, NliTask):
    """The three as one task."""

    name = "anliplus"
    title = "ANLI+"
    spellings: ClassVar[Mapping[str, str]] = {
        "e": "entailment",
        "n": "neutral",
        "c": "contradiction",
    }
    config = "plain_text"
    hub: HubSource | None = HubSource("facebook/anli", "8e4813d81f46d313dac7892e1c28076917cfcdf9")
    hub_beside = tuple(task.hub for task in _WITH if task.hub)
    layout = (
        "anli/[anli_v1.0/]R1/train.jsonl, R1/dev.jsonl, the same of R2 and R3; "
        f"{mnli.TASK.layout}, mnli/dev-en.tsv; {snli.TASK.layout}, snli/dev-en.tsv"
    )
    licence = f"CC BY-NC 4.0 (ANLI); {mnli.TASK.licence} (MNLI); {snli.TASK.licence} (SNLI)"
    citation = (
        "Nie et al. 2020, Adversarial NLI: A New Benchmark for Natural Language Understanding"
    )
    url = "https://github.com/facebookresearch/anli"

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        if source.kind != "xtreme":
            return ()
        folders = [root(source) / place for place in ("anli", "anli/anli_v1.0")]
        rounds = [
            first_there([folder / f"R{n}/{split}.jsonl" for folder in folders]) for n in _ROUNDS
        ]
        others = [task.files(source, split, language) for task in _WITH]
        return tuple(path for paths in (*rounds, *others) for path in paths)

    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        own, others = paths[: len(_ROUNDS)], paths[len(_ROUNDS) :]
        found = [
            example
            for n, path in zip(_ROUNDS, own, strict=True)
            for example in self._round(path, split, language, n)
        ]
        for task, path in zip(_WITH, others, strict=True):
            found += _named(task.name, task.read((path,), split, language))
        return found

    def _round(self, path: Path, split: Split, language: str, n: int) -> Iterable[Example]:
        rows = files.objects(path, self.what(split, language), self.layout)
        for line, row in rows:
            try:
                first, second = text(row, "context"), text(row, "hypothesis")
                label = text(row, "label")
            except (KeyError, TypeError) as error:
                raise MalformedRowError(
                    path,
                    line,
                    "a row has context, hypothesis and label (e, n or c); "
                    f"{type(error).__name__}: {error}",
                ) from None
            gold = self.gold(path, line, label)
            yield PairExample(f"r{n}-{split}-{language}-{line - 1}", first, second, gold)

    def _from_hub(self, split: Split, language: str) -> list[Example]:
        assert self.hub is not None  # as above
        made = [
            self.from_row(row, f"r{n}-{split}-{language}-{number}")
            for n in _ROUNDS
            for number, row in enumerate(hub.rows(self.hub, self.config, f"{split}_r{n}"))
        ]
        found = self.kept(made, split, language)
        for task in _WITH:
            found += _named(task.name, task.load(DataSource("hub"), split, language))
        return found


def _named(name: str, rows: Sequence[Example]) -> list[Example]:
    """Rows whose ids begin with the name of the task they come from."""
    return [replace(row, id=f"{name}-{row.id}") for row in rows]


TASK = AnliPlus()
