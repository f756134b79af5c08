"""F1 of the one label that a task looks for (`positive`), as of GLUE's QQP.

>>> f1(["1", "0", "1", "0"], ["1", "1", "0", "0"], "1")
50.0

It is 0 where no row has the label and none is said to. Guessing gives the label to every row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite.metric import Answers, Metric, is_hidden

if TYPE_CHECKING:
    import numpy as np


def f1(gold: Sequence[object], predicted: Sequence[object], positive: object) -> float:
    """F1 of the label `positive`, in percent.

    Raises:
        ValueError: no rows, or not as many predictions as rows.
    """
    if not gold:
        raise ValueError("no rows to score")
    rows = list(zip(gold, predicted, strict=True))
    both = sum(g == p == positive for g, p in rows)
    either = sum((g == positive) + (p == positive) for g, p in rows)
    return 100 * 2 * both / either if either else 0.0


def _score(answers: Answers) -> dict[str, float]:
    shown = answers.shown()
    return {"f1": f1(shown.gold, shown.predicted, answers.task.positive)}


def _chance(answers: Answers) -> float:
    gold, positive = answers.shown().gold, answers.task.positive
    return f1(gold, [positive] * len(gold), positive)


def _parts(answers: Answers) -> np.ndarray:
    """Twice the rows that are right, over those that have the label and those said to."""
    import numpy as np

    positive = answers.task.positive
    rows = [
        (p == positive, g == positive, is_hidden(g))
        for g, p in zip(answers.gold, answers.predicted, strict=True)
    ]
    counted = [(0, 0) if hidden else (2 * (said and has), said + has) for said, has, hidden in rows]
    return np.array(counted, dtype=float)


METRIC = Metric(
    {"f1": "F1"}, "label", _score, _chance, _parts, needs=("positive",), hub={"f1": "f1"}
)
