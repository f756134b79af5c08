"""Spearman's rank correlation of predicted and gold scores: whether their order is the same.

>>> round(spearman([1.0, 2.0, 3.0], [0.1, 0.2, 40.0]), 1)
100.0

Equal scores share the mean of their ranks, as in `scipy.stats.spearmanr`. In percent, from -100 to
100; 0 where all predicted or all gold scores are the same, for which scipy has no value. Guessing
gives each row any score, and scores 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite.metric import Answers, Metric
from evalsuite.metrics._scores import correlation, numbers

if TYPE_CHECKING:
    import numpy as np


def spearman(gold: Sequence[float], predicted: Sequence[float]) -> float:
    """Over rows, in percent."""
    import numpy as np

    return float(_ranked(np.array(gold, dtype=float), np.array(predicted, dtype=float)))


def _ranked(gold: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    return correlation(rankdata(gold, axis=-1), rankdata(predicted, axis=-1))


def _score(answers: Answers) -> dict[str, float]:
    return {"spearman": float(_ranked(*numbers(answers)))}


def _of_samples(answers: Answers, rows: np.ndarray) -> np.ndarray:
    gold, predicted = numbers(answers)
    return _ranked(gold[rows], predicted[rows])


METRIC = Metric(
    {"spearman": "Spearman correlation"},
    "score",
    _score,
    chance=lambda answers: 0.0,
    of_samples=_of_samples,
    limits=(-100.0, 100.0),
    details=("ties:mean",),
    packages=("scipy",),
    hub={"spearman": "spearmanr"},
)
