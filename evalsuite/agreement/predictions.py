"""One model beside another on the same rows: how often they say the same.

>>> same("pair", ["neutral", "entailment"], ["neutral", "neutral"])
50.0

Read off predictions in the submission layout, so any two models scored on the same rows compare. A
student that keeps its teacher's score may still answer other questions. How much better one of them
is comes from the same pairs of predictions (`evalsuite.metrics.bootstrap.Difference`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.errors import DataError
from evalsuite.submission import files
from evalsuite.task import Format, Split


@dataclass(frozen=True, slots=True)
class Reference:
    """A model scored before: its label, and the directory of its predictions."""

    label: str
    directory: Path


def read(
    reference: Reference,
    task: str,
    language: str,
    split: Split,
    ids: Sequence[str],
    form: Format | None = None,
) -> list[Any]:
    """What it predicted, one item a row of these ids; `form` as in `submission.write`.

    Raises:
        DataError: it was not scored on this language, or on other rows.
    """
    form = form or files.format_of(task)
    found = files.read(reference.directory, task, language, split, form)
    if form == "mining":  # the rows that have a partner
        partners = dict(found)
        found = [partners.pop(id, None) for id in ids] if set(partners) <= set(ids) else []
    if len(found) != len(ids) or (isinstance(found, dict) and set(found) != set(ids)):
        raise DataError(
            f"{reference.label} predicted {len(found):,} rows of {task} {language}, "
            f"{len(ids):,} are scored now: not the same rows"
        )
    return [found[id] for id in ids] if isinstance(found, dict) else list(found)


def same(format: Format, first: Sequence[Any], second: Sequence[Any]) -> float:
    """Percent of labels (of words, for a tagger), answers, neighbours or first-ranked candidates;
    of mined pairs, those both have in those either has, as F1 of one against the other.

    Raises:
        ValueError: they are not of the same rows, or there are none.
    """
    pairs = list(zip(_items(format, first), _items(format, second), strict=True))
    if not pairs:
        raise ValueError("no predictions to compare")
    if format == "mining":
        both = sum(a == b and a is not None for a, b in pairs)
        either = sum((a is not None) + (b is not None) for a, b in pairs)
        return 100.0 * 2 * both / either if either else 100.0
    equal: int = sum(a == b for a, b in pairs)
    return 100.0 * equal / len(pairs)


def _items(format: Format, predictions: Sequence[Any]) -> list[Any]:
    """What is compared one by one, in order."""
    if format == "tagging":
        return [tag for sentence in predictions for tag in sentence]
    return [row[0] for row in predictions] if format == "ranking" else list(predictions)
