"""F1 of each label, mean over labels: a rare label counts as much as a frequent one.

As scikit-learn's `f1_score(average="macro")`: labels are those of the rows, gold or predicted; of
rows with any of several labels all that are annotated. Guessing gives every row the same answer,
the one that scores highest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from evalsuite.metric import Answers, Metric
from evalsuite.metrics._label_counts import counts, guesses, macro

if TYPE_CHECKING:
    import numpy as np


def _score(answers: Answers) -> dict[str, float]:
    return {"macro_f1": _of(answers.shown())}


def _of(answers: Answers) -> float:
    """Raises ValueError: no rows, or not as many predictions as rows."""
    if not answers.gold:
        raise ValueError("no rows to score")
    return float(macro(counts(answers).sum(0)))


def _chance(answers: Answers) -> float:
    shown = answers.shown()
    return max(_of(replace(shown, predicted=said)) for said in guesses(answers))


def _parts(answers: Answers) -> np.ndarray:
    """Rows whose label is hidden add nothing."""
    return counts(answers)


METRIC = Metric(
    {"macro_f1": "macro F1"},
    "label",
    _score,
    _chance,
    _parts,
    macro,
    also_reads=("labels",),
    details=("average:macro",),
    hub={"macro_f1": "f1"},
)
