"""How often two models say the same, right or wrong, language by language.

>>> agreement(Path("scores/teacher"), Path("scores/int8"), "xnli", ("de", "sw"))
{'de': 98.4, 'sw': 96.1}

Read off predictions in the submission layout, so any two models scored on the same rows compare. A
student that keeps its teacher's score may still answer other questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from evalsuite import submission, tasks
from evalsuite.task import Split


def agreement(
    first: Path, second: Path, task: str, languages: Iterable[str], split: Split = "test"
) -> dict[str, float]:
    """Percent of labels (of words, for a tagger), answers, neighbours or first-ranked candidates;
    of mined pairs, those both have in those either has, as F1 of one against the other.

    Args:
        first, second: directories of predictions, as `evaluate` writes them.

    Raises:
        DataError: one lacks predictions of a language.
        ValueError: they are not of the same rows.
    """
    compare = _shared if tasks.get(task).format == "mining" else _same
    return {
        language: compare(
            _items(submission.read(first, task, language, split)),
            _items(submission.read(second, task, language, split)),
        )
        for language in languages
    }


def _items(predictions: Any) -> list[Any]:
    """What is compared one by one: a tag of each word, the first candidate of each query."""
    if isinstance(predictions, dict):
        rows = [predictions[id] for id in sorted(predictions)]
        return [row[0] if isinstance(row, list) else row for row in rows]
    if predictions and isinstance(predictions[0], list):
        return [tag for sentence in predictions for tag in sentence]
    return list(predictions)


def _same(first: Sequence[Any], second: Sequence[Any]) -> float:
    if len(first) != len(second) or not first:
        raise ValueError(f"predictions of {len(first)} and of {len(second)} rows")
    equal: int = sum(a == b for a, b in zip(first, second, strict=True))
    return 100.0 * equal / len(first)


def _shared(first: Sequence[Any], second: Sequence[Any]) -> float:
    """100 where neither has any."""
    both = len(set(first) & set(second))
    return 100.0 * 2 * both / (len(first) + len(second)) if first or second else 100.0
