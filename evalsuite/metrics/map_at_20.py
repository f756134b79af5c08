"""Mean average precision of ranked candidates: LAReQA and Mewsli-X.

>>> average_precision({"a", "b"}, ["a", "c", "b"], k=20)
0.8333333333333333

With one relevant candidate it is the reciprocal of its rank. As `average_precision_at_k` in
`third_party/utils_lareqa.py` and `mean_reciprocal_rank` in `third_party/utils_mewslix.py` of
google-research/xtreme. Guessing is a random order of the candidates.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from evalsuite.metric import Answers, Metric

if TYPE_CHECKING:
    import numpy as np

CUT = 20  # candidates a query that count


def average_precision(relevant: Collection[str], ranked: Sequence[str], k: int = CUT) -> float:
    """Precision at the rank of each relevant candidate among the first k, summed, over as many of
    them as the first k could hold. A candidate named twice counts once.

    Raises:
        ValueError: nothing is relevant.
    """
    if not relevant:
        raise ValueError("a query nothing is relevant to")
    wanted, hits, total = set(relevant), 0, 0.0
    for rank, candidate in enumerate(ranked[:k], 1):
        if candidate in wanted:
            wanted.discard(candidate)
            hits += 1
            total += hits / rank
    return total / min(len(set(relevant)), k)


def ranking_scores(
    relevant: Sequence[Collection[str]], ranked: Sequence[Sequence[str]]
) -> dict[str, float]:
    """`map_at_20`, in percent, over queries."""
    if len(relevant) != len(ranked) or not relevant:
        raise ValueError(f"{len(ranked)} rankings of {len(relevant)} queries")
    found = [average_precision(gold, said) for gold, said in zip(relevant, ranked, strict=True)]
    return {"map_at_20": 100.0 * sum(found) / len(found)}


def chance(relevant: int, candidates: int, k: int = CUT) -> float:
    """Expected average precision of a random order, in percent.

    >>> round(chance(1, 2), 1)    # first or second, each in half of the orders
    75.0
    """
    if candidates == relevant:
        return 100.0
    others = (relevant - 1) / (candidates - 1)
    expected = sum((1 + (rank - 1) * others) / rank for rank in range(1, min(k, candidates) + 1))
    return 100.0 * expected * relevant / candidates / min(relevant, k)


def _score(answers: Answers) -> dict[str, float]:
    return ranking_scores(answers.gold, answers.predicted)


def _chance(answers: Answers) -> float:
    counts = [len(set(relevant)) for relevant in answers.gold]
    return sum(chance(count, answers.candidates) for count in counts) / len(counts)


def _parts(answers: Answers) -> np.ndarray:
    """Average precision of each query."""
    import numpy as np

    rows = zip(answers.gold, answers.predicted, strict=True)
    return np.array([(average_precision(gold, ids), 1) for gold, ids in rows], dtype=float)


METRIC = Metric({"map_at_20": "mAP@20"}, "ranking", _score, _chance, _parts)
