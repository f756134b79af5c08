"""XCOPA: which of two sentences is the cause, or the effect, of a third? Eleven languages.

>>> TASK.load(DataSource("xtreme", Path("data")), "dev", "sw")[0].choices
('Choo kilijaa maji.', 'Maji yalitiririka kutoka kwenye bomba.')

100 dev and 500 test rows a language, translated from COPA's; English is COPA, with 400 rows to
train on (XTREME-R trains on SIQA first, then on these). The question is in English in every
language, and follows the premise, as in `third_party/run_xcopa.py` of google-research/xtreme.

Papers: Ponti et al. 2020, arXiv:2005.00333; Roemmele et al. 2011 (COPA).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from evalsuite.data import choices, files
from evalsuite.data.choices import text
from evalsuite.data.hub import Row
from evalsuite.data.sourced import SourcedTask, root
from evalsuite.errors import MalformedRowError
from evalsuite.task import (
    CHOICE,
    ChoiceExample,
    DataSource,
    Example,
    Format,
    HubSource,
    Split,
)

ASKED = {"cause": "What was the cause?", "effect": "What was the effect?"}
_COPA = HubSource("aps/super_glue", "3de24cf8022e94f4ee4b9d55a6f539891524d646")
_NAMES = {0: 0, 1: 1, "0": 0, "1": 1, "choice1": 0, "choice2": 1}


_ROW = "premise, choice1, choice2, question (cause or effect) and label (0 or 1)"
_LABEL = re.compile(rb'"label"\s*:\s*("?[-\w]+)')
_SO_MANY = 20  # rows; that all have one label by chance is one in half a million


class Xcopa(SourcedTask):
    """The XCOPA task."""

    name = "xcopa"
    title = "XCOPA"
    format: Format = "choice"
    languages = ("en", "et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh")
    labels = CHOICE
    metric = "accuracy"
    file = "xcopa/{split}-{language}.jsonl"
    hub: HubSource | None = HubSource(
        "cambridgeltl/xcopa", "042f78955ba48e6404616762fa6e05e839c3907a"
    )
    hub_beside = (_COPA,)
    layout = "xcopa/train-en.jsonl, xcopa/val-<lang>.jsonl, xcopa/test-<lang>.jsonl"
    licence = "CC BY 4.0 (COPA: BSD 2-clause)"
    citation = "Ponti et al. 2020, XCOPA: A Multilingual Dataset for Causal Commonsense Reasoning"
    url = "https://github.com/cambridgeltl/xcopa"

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        if source.kind != "xtreme":
            return ()
        name = self.file.format(split=_file_split(split), language=language)
        return (root(source) / name,)

    def _in_directory(self, source: DataSource, split: Split) -> Iterable[str]:
        prefix = f"{_file_split(split)}-"
        for path in root(source).glob(f"xcopa/{prefix}*.jsonl"):
            if not (split == "test" and _hides_labels(path)):  # else nothing can be scored
                yield path.stem.removeprefix(prefix)

    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        (path,) = paths
        rows = files.objects(path, self.what(split, language), self.layout)
        found = choices.parsed(path, rows, _example, split, language, _ROW)
        hidden = _hidden([row.label for row in found])
        if split != "test" and (hidden or any(row.label is None for row in found)):
            raise MalformedRowError(path, 1, "its rows hide their labels, which nothing can use")
        return [replace(row, label=None) if hidden else row for row in found]

    def available(self, source: DataSource, split: Split) -> tuple[str, ...]:
        has = super().available(source, split)
        if source.kind == "hub" and split == "test":  # COPA's test labels are hidden
            return tuple(language for language in has if language != "en")
        return has

    def hub_config(self, language: str) -> str:
        return "copa" if language == "en" else language

    def hub_source(self, language: str) -> HubSource | None:
        return _COPA if language == "en" else self.hub

    def from_row(self, row: Row, id: str) -> Example:
        return _example(row, id)

    def embedded_rows(self, suite: ModuleType, split: Split, language: str) -> Sequence[Example]:
        return [
            ChoiceExample(row.id, row.context, ASKED[row.question], row.choices, row.label)
            for row in suite.causes(split, language)
        ]


def _hidden(labels: Sequence[object]) -> bool:
    """Whether a file's labels are no gold labels: there are none, or many rows all have one, as
    copies of the test files have that are made for submissions."""
    return not labels or (len(labels) >= _SO_MANY and len(set(labels)) == 1)


def _hides_labels(path: Path) -> bool:
    """The same of a file; False where it is no such file at all, so that reading it says why."""
    try:
        raw = path.read_bytes()
    except OSError:
        return False
    return b'"premise"' in raw and _hidden(_LABEL.findall(raw))


def _file_split(split: Split) -> str:
    return "val" if split == "dev" else split


def _example(row: Any, id: str) -> ChoiceExample:
    """Raises KeyError or TypeError where the row is no row of COPA."""
    label = row.get("label")
    return ChoiceExample(
        id,
        text(row, "premise"),
        ASKED[row["question"]],
        (text(row, "choice1"), text(row, "choice2")),
        None if label is None or label == -1 else _NAMES[label],
    )


TASK = Xcopa()
