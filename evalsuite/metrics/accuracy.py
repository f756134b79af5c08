"""Share of rows with the right label.

>>> accuracy(["neutral", "entailment"], ["neutral", "neutral"])
50.0
>>> majority(["neutral", "neutral", "entailment", "contradiction"])
50.0

Guessing says the most frequent label of the language for every row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from evalsuite.metric import Answers, Metric, is_hidden

if TYPE_CHECKING:
    import numpy as np


def accuracy(gold: Sequence[object], predicted: Sequence[object]) -> float:
    """Percent of rows where the two agree.

    Raises:
        ValueError: no rows, or not as many predictions as rows.
    """
    if len(gold) != len(predicted):
        raise ValueError(f"{len(predicted)} predictions for {len(gold)} rows")
    if not gold:
        raise ValueError("no rows to score")
    return 100 * sum(a == b for a, b in zip(gold, predicted, strict=True)) / len(gold)


def majority(gold: Sequence[Hashable]) -> float:
    """Share of the most frequent label."""
    if not gold:
        raise ValueError("no gold labels to guess from")
    return 100.0 * max(Counter(gold).values()) / len(gold)


def _score(answers: Answers) -> dict[str, float]:
    shown = answers.shown()
    return {"accuracy": accuracy(shown.gold, shown.predicted)}


def _chance(answers: Answers) -> float:
    return majority(answers.shown().gold)


def _parts(answers: Answers) -> np.ndarray:
    """Right or not; rows whose label is hidden add nothing."""
    import numpy as np

    rows = [(is_hidden(g), g == p) for g, p in zip(answers.gold, answers.predicted, strict=True)]
    return np.array([(right and not hidden, not hidden) for hidden, right in rows], dtype=float)


METRIC = Metric(
    {"accuracy": "accuracy"}, "label", _score, _chance, _parts, hub={"accuracy": "accuracy"}
)
