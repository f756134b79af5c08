"""Mean absolute error: how far predicted scores lie from gold ones, in the unit of the scores.

>>> mae([1.0, 2.0], [1.5, 2.0])
0.25

Lower is better, and it is no percentage: it is scored next to a correlation, and never a task's
main metric.
"""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.metric import Answers, Metric
from evalsuite.metrics._scores import numbers


def mae(gold: Sequence[float], predicted: Sequence[float]) -> float:
    """Over rows."""
    import numpy as np

    return float(np.abs(np.array(gold, dtype=float) - np.array(predicted, dtype=float)).mean())


def _score(answers: Answers) -> dict[str, float]:
    gold, predicted = numbers(answers)
    return {"mae": mae(gold.tolist(), predicted.tolist())}


METRIC = Metric(
    {"mae": "mean absolute error, in the unit of the scores"},
    "score",
    _score,
    limits=(0.0, float("inf")),
    hub={"mae": "mae"},
)
