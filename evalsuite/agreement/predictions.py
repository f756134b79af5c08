"""Two models on the same rows: how often their predictions are equal.

>>> same("pair", ["neutral", "entailment"], ["neutral", "neutral"])
50.0

Read off predictions in the submission layout, so any two models scored on the same rows compare. A
student that keeps its teacher's score may still answer other questions. How much better one of them
is comes from the same pairs of predictions (`evalsuite.bootstrap.p_value`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalsuite.errors import DataError
from evalsuite.registry import FORMATS
from evalsuite.submission import files
from evalsuite.task import Format, Split


@dataclass(frozen=True, slots=True)
class Reference:
    """A model scored before: its label, and the directory of its predictions.

    Attributes:
        by_vectors: task -> whether its vectors were compared there, and not what a head says; a
            task that is not named was scored as the other model is.
    """

    label: str
    directory: Path
    by_vectors: Mapping[str, bool] = field(default_factory=dict)


def read(
    reference: Reference,
    task: str,
    language: str,
    split: Split,
    ids: Sequence[str],
    form: Format | None = None,
) -> list[Any]:
    """What it predicted, one item per id; `form` as in `evalsuite.submission.files.write`.

    Raises:
        DataError: it was not scored on this language, or on other rows.
    """
    form = form or files.format_of(task)
    predictions = files.read(reference.directory, task, language, split, form)
    rows: list[Any] | None = FORMATS.get(form).align(predictions, ids)
    if rows is None:
        raise DataError(
            f"{reference.label} predicted {len(predictions):,} rows of {task} {language}, "
            f"{len(ids):,} are scored now: not the same rows"
        )
    return rows


def same(format: Format, first: Sequence[Any], second: Sequence[Any]) -> float:
    """Percent of labels (of words, for a tagger), answers, neighbours or first-ranked candidates
    that are equal; for mined pairs, F1 of one model's pairs against the other's.

    Raises:
        ValueError: they are not of the same rows, or there are none.
    """
    if not len(first):
        raise ValueError("no predictions to compare")
    return float(FORMATS.get(format).agreement(first, second))
