"""Share of rows for which the row of the same number was found on the other side: Tatoeba.

Guessing takes one of as many rows as there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalsuite.metric import Answers, Metric
from evalsuite.metrics.accuracy import accuracy

if TYPE_CHECKING:
    import numpy as np


def _score(answers: Answers) -> dict[str, float]:
    return {"retrieval_accuracy": accuracy(answers.gold, answers.predicted)}


def _chance(answers: Answers) -> float:
    if not answers.gold:
        raise ValueError("no rows to guess among")
    return 100.0 / len(answers.gold)


def _parts(answers: Answers) -> np.ndarray:
    """Found or not."""
    import numpy as np

    rows = zip(answers.gold, answers.predicted, strict=True)
    return np.array([(gold == found, 1) for gold, found in rows], dtype=float)


METRIC = Metric(
    {"retrieval_accuracy": "retrieval accuracy"},
    "index",
    _score,
    _chance,
    _parts,
    hub={"retrieval_accuracy": "accuracy"},
)
