"""F1 over all rows and labels together: a frequent label counts more than a rare one.

As scikit-learn's `f1_score(average="micro")`. Of rows with one label each it is the accuracy; of
rows with any of several it weighs each label by how often it is there. Guessing gives every row the
same answer, the one that scores highest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from evalsuite.metric import Answers, Metric
from evalsuite.metrics._label_counts import counts, guesses, micro

if TYPE_CHECKING:
    import numpy as np


def _score(answers: Answers) -> dict[str, float]:
    return {"micro_f1": _of(answers.shown())}


def _of(answers: Answers) -> float:
    """Raises ValueError: no rows, or not as many predictions as rows."""
    if not answers.gold:
        raise ValueError("no rows to score")
    return float(micro(counts(answers).sum(0)))


def _chance(answers: Answers) -> float:
    shown = answers.shown()
    return max(_of(replace(shown, predicted=said)) for said in guesses(answers))


def _parts(answers: Answers) -> np.ndarray:
    """Rows whose label is hidden add nothing."""
    return counts(answers)


METRIC = Metric(
    {"micro_f1": "micro F1"},
    "label",
    _score,
    _chance,
    _parts,
    micro,
    also_reads=("labels",),
    details=("average:micro",),
    hub={"micro_f1": "f1"},
)
