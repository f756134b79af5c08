"""Pearson's correlation of predicted and gold scores: how near they lie to a straight line.

>>> pearson([1.0, 2.0, 3.0], [2.0, 4.0, 6.5])
99.7...

In percent, from -100 to 100; 0 where all predicted or all gold scores are the same, for which
`scipy.stats.pearsonr` has no value. Guessing gives each row any score, and scores 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite.metric import Answers, Metric
from evalsuite.metrics._scores import correlation, numbers

if TYPE_CHECKING:
    import numpy as np


def pearson(gold: Sequence[float], predicted: Sequence[float]) -> float:
    """Over rows, in percent."""
    import numpy as np

    return float(correlation(np.array(gold, dtype=float), np.array(predicted, dtype=float)))


def _score(answers: Answers) -> dict[str, float]:
    return {"pearson": float(correlation(*numbers(answers)))}


def _of_samples(answers: Answers, rows: np.ndarray) -> np.ndarray:
    gold, predicted = numbers(answers)
    return correlation(gold[rows], predicted[rows])


METRIC = Metric(
    {"pearson": "Pearson correlation"},
    "score",
    _score,
    chance=lambda answers: 0.0,
    of_samples=_of_samples,
    limits=(-100.0, 100.0),
    hub={"pearson": "pearsonr"},
)
