"""Share of a query's relevant candidates among the first 10, mean over queries.

>>> recall({"a", "b"}, ["c", "a"], k=10)
0.5

That among the first 1 and the first 20 is given too. Guessing is a random order of the candidates.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from evalsuite.metric import Answers, Metric

if TYPE_CHECKING:
    import numpy as np

CUT = 10
ALSO = (1, 20)


def recall(relevant: Collection[str], ranked: Sequence[str], k: int) -> float:
    """Relevant candidates among the first k over all relevant ones.

    Raises:
        ValueError: nothing is relevant.
    """
    if not relevant:
        raise ValueError("a query nothing is relevant to")
    return len(set(relevant) & set(ranked[:k])) / len(set(relevant))


def _score(answers: Answers) -> dict[str, float]:
    rows = list(zip(answers.gold, answers.predicted, strict=True))
    if not rows:
        raise ValueError("no queries to score")
    return {
        f"recall_at_{k}": 100.0 * sum(recall(gold, said, k) for gold, said in rows) / len(rows)
        for k in (CUT, *ALSO)
    }


def _chance(answers: Answers) -> float:
    return 100.0 * min(CUT, answers.candidates) / max(answers.candidates, 1)


def _parts(answers: Answers) -> np.ndarray:
    """Recall of each query."""
    import numpy as np

    rows = zip(answers.gold, answers.predicted, strict=True)
    return np.array([(recall(gold, ids, CUT), 1) for gold, ids in rows], dtype=float)


METRIC = Metric(
    {"recall_at_10": "recall@10", "recall_at_1": "recall@1", "recall_at_20": "recall@20"},
    "ranking",
    _score,
    _chance,
    _parts,
)
