"""Rows, labels and their shares of a declared task, and what is wrong with its files.

>>> seen = survey(OwnTask("topics", declaration))
>>> seen.rows["train"], seen.labels
({'en': 701}, {'sports': 122, 'travel': 198})

Rows are read as a run reads them, so the numbers are those of the run.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from evalsuite.errors import DataError
from evalsuite.guess.token_count import expected_tokens
from evalsuite.own.own_task import SPLITS, OwnTask
from evalsuite.task import (
    DataSource,
    Example,
    LabelsExample,
    ScoreExample,
    Split,
    TagExample,
)

_NO_TEXT = {"id", "label", "tags", "labels", "score", "answers", "relevant"}
_SHOWN = 3  # languages, labels, texts or answers that a warning names
_CHARACTERS = 40  # of a text or answer that it shows
_RARE = 5  # training rows of a label, below which it is hardly learnt
_SOURCE = DataSource("files")


@dataclass(frozen=True, slots=True)
class Survey:
    """What the files of a task hold.

    Attributes:
        rows: split -> language -> number of rows.
        labels: label -> training rows with it (words, of tags).
        scores: the least and the largest, where rows have scores.
        tokens: expected of the longest twentieth of the training rows, at least.
        warnings: what the person should know, and a run does not refuse.
        errors: what a run refuses, one per file.
    """

    rows: dict[Split, dict[str, int]]
    labels: dict[str, int]
    scores: tuple[float, float] | None
    tokens: int
    warnings: list[str]
    errors: list[DataError]


class Texts:
    """The texts of a split, and which rows repeat another.

    Attributes:
        languages: text -> its language.
    """

    def __init__(self) -> None:
        self.languages: dict[str, str] = {}
        self._answers: dict[str, list[str | None]] = {}  # different ones
        self._same: int = 0
        self._other: dict[str, int] = {}  # text -> rows that repeat it with another answer

    def add(self, text: str, language: str, answer: str | None) -> None:
        """One row."""
        self.languages[text] = language
        given = self._answers.setdefault(text, [])
        if given and answer not in given:
            self._other[text] = self._other.get(text, 0) + 1
        elif given:
            self._same += 1
        if answer not in given:
            given.append(answer)

    def warnings(self, split: Split) -> Iterable[str]:
        """What to say of the rows of a split that repeat another."""
        if self._same:
            yield f"{self._same:,} {split} rows repeat another"
        if self._other:
            texts = [
                f"{_short(text)!r} ({_answers(self._answers[text])})"
                for text in [*self._other][:_SHOWN]
            ]
            more = "; ..." if len(self._other) > _SHOWN else ""
            yield (
                f"{sum(self._other.values()):,} {split} rows repeat another with a different "
                f"answer, and a model gives only one: {'; '.join(texts)}{more}"
            )


def _short(text: str) -> str:
    """A text or answer as warnings show it: its first characters, in one line.

    >>> _short("It rains."), _short("O " * 80)
    ('It rains.', 'O O O O O O O O O O O O O O O O O O ...')
    """
    line = " ".join(text.split())
    return line if len(line) <= _CHARACTERS else f"{line[: _CHARACTERS - 4].rstrip()} ..."


def _answers(different: Sequence[str | None]) -> str:
    """Some of the answers that a text has."""
    more = ["..."] if different[_SHOWN:] else []
    return " | ".join([*(_short(str(answer)) for answer in different[:_SHOWN]), *more])


def survey(task: OwnTask) -> Survey:
    """Read all rows of a task."""
    rows: dict[Split, dict[str, int]] = {}
    errors: list[DataError] = []
    labels: Counter[str] = Counter()
    lengths: list[float] = []
    scores: list[float] = []
    texts: dict[Split, Texts] = {split: Texts() for split in SPLITS}
    for split in SPLITS:
        for language in task.languages:
            if not task.files(_SOURCE, split, language):
                continue
            try:
                found = task.load(_SOURCE, split, language)
            except DataError as error:
                errors.append(error)
                continue
            rows.setdefault(split, {})[language] = len(found)
            for row in found:
                text = _text(row)
                texts[split].add(text, language, _answer(row))
                if split == "train":
                    labels.update(_labels(row))
                    if isinstance(row, ScoreExample) and row.score is not None:
                        scores.append(row.score)
                    lengths.append(expected_tokens(text))
    warnings = [
        *_shared({split: own.languages for split, own in texts.items()}),
        *(said for split, own in texts.items() for said in own.warnings(split)),
        *_alike({label: labels[label] for label in (*task.labels, *labels)}),
        *_rare(labels),
        *_without_labels(task),
    ]
    shown = {label: labels[label] for label in task.labels if label in labels}
    lengths.sort()
    longest = math.ceil(lengths[len(lengths) * 19 // 20]) if lengths else 0
    span = (min(scores), max(scores)) if scores else None
    return Survey(rows, shown or dict(labels), span, longest, warnings, errors)


def _text(row: Example) -> str:
    """All texts of a row, to compare it by."""
    values = (getattr(row, own.name) for own in fields(row) if own.name not in _NO_TEXT)
    flat = (value if isinstance(value, str) else " ".join(value) for value in values if value)
    return "\n".join(flat).strip().casefold()


def _labels(row: Example) -> Iterable[str]:
    if isinstance(row, TagExample):
        return row.tags
    if isinstance(row, LabelsExample):
        return [label for label, has in (row.labels or {}).items() if has]
    label = getattr(row, "label", None)
    return () if label is None else (str(label),)


def _answer(row: Example) -> str | None:
    """What is to be said of a row; None where its labels are not shown, or it has none."""
    if isinstance(row, LabelsExample):
        return None if row.labels is None else ", ".join(_labels(row)) or "no label"
    if isinstance(row, ScoreExample):
        return None if row.score is None else f"{row.score:g}"
    return " ".join(_labels(row)) or None


def _alike(labels: Mapping[str, int]) -> Iterable[str]:
    """Labels that a person takes for one, in groups."""
    groups: dict[str, list[str]] = {}
    for label, count in labels.items():
        normal = unicodedata.normalize("NFKC", label).casefold()
        groups.setdefault(" ".join(normal.split()), []).append(f"{label!r} ({count:,} rows)")
    same = [" and ".join(own) for own in groups.values() if len(own) > 1]
    if same:
        some = "; ".join(same[:_SHOWN]) + ("; ..." if same[_SHOWN:] else "")
        yield (
            "labels that differ only in case, spaces or Unicode form, and are learnt as different "
            f"ones: {some}; where they mean the same, write them alike in the files"
        )


def _shared(texts: dict[Split, dict[str, str]]) -> Iterable[str]:
    """Texts of one split that another has too."""
    for first, second in (("train", "test"), ("train", "dev"), ("dev", "test")):
        mine, its = texts[first], texts[second]  # type: ignore[index]
        shared = mine.keys() & its.keys()
        if shared:
            where = sorted({its[text] for text in shared})
            some = ", ".join(where[:_SHOWN]) + (", ..." if where[_SHOWN:] else "")
            yield (
                f"{len(shared):,} texts of {second} rows are in the {first} rows too ({some}); "
                "scores on them say little"
            )


def _rare(labels: Counter[str]) -> Iterable[str]:
    rare = [f"{label} {count}" for label, count in sorted(labels.items()) if count < _RARE]
    if rare:
        some = ", ".join(rare[:_SHOWN]) + (", ..." if rare[_SHOWN:] else "")
        yield f"labels with few training rows: {some}"


def _without_labels(task: OwnTask) -> Iterable[str]:
    hidden = [
        code
        for code in task.languages
        if task.files(_SOURCE, "test", code) and code not in task.available(_SOURCE, "test")
    ]
    if hidden:
        yield f"test rows without labels, which are not scored: {', '.join(hidden)}"
