"""F1, precision and recall of mined sentence pairs: BUCC.

>>> mining_scores({("de-1", "en-7"), ("de-2", "en-3")}, {("de-1", "en-7")})
{'mining_precision': 100.0, 'mining_recall': 50.0, 'mining_f1': 66.66666666666666}

A row without a translation counts only where one was predicted for it. Guessing draws a candidate
for each row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from typing import TYPE_CHECKING

from evalsuite.metric import Answers, Metric
from evalsuite.metrics._chunks import Counts

if TYPE_CHECKING:
    import numpy as np

Pair = tuple[object, str]


def mining_scores(gold: Set[Pair], predicted: Set[Pair]) -> dict[str, float]:
    """In percent; a pair counts once however often it was written.

    Raises:
        ValueError: no gold pairs.
    """
    if not gold:
        raise ValueError("no pairs to score")
    scores = Counts(len(gold & predicted), len(predicted), len(gold)).scores()
    return {f"mining_{name}": value for name, value in scores.items()}


def random_pairs(partners: Sequence[int], candidates: int) -> float:
    """F1 to be expected of a candidate drawn for each row, by how many are right for it."""
    if not sum(partners):
        raise ValueError("no pairs to guess")
    return 100.0 * 2 * sum(partners) / candidates / (len(partners) + sum(partners))


def _said(predicted: str | Collection[str] | None) -> set[str]:
    return {predicted} if isinstance(predicted, str) else set(predicted or ())


def _score(answers: Answers) -> dict[str, float]:
    rows = list(zip(answers.gold, answers.predicted, strict=True))
    gold = {(row, id) for row, (partners, _) in enumerate(rows) for id in partners}
    return mining_scores(gold, {(row, id) for row, (_, p) in enumerate(rows) for id in _said(p)})


def _chance(answers: Answers) -> float:
    return random_pairs([len(partners) for partners in answers.gold], answers.candidates)


def _parts(answers: Answers) -> np.ndarray:
    """Twice the pairs found, over those predicted and those there."""
    import numpy as np

    rows = [(set(g), _said(p)) for g, p in zip(answers.gold, answers.predicted, strict=True)]
    return np.array([(2 * len(g & p), len(p) + len(g)) for g, p in rows], dtype=float)


METRIC = Metric(
    {
        "mining_f1": "mining F1",
        "mining_precision": "mining precision",
        "mining_recall": "mining recall",
    },
    "pairs",
    _score,
    _chance,
    _parts,
    hub={"mining_f1": "f1", "mining_precision": "precision", "mining_recall": "recall"},
)
