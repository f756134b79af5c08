"""Precision, recall and F1 of mined sentence pairs (BUCC).

>>> mining_scores({("de-1", "en-7"), ("de-2", "en-3")}, {("de-1", "en-7")})
{'mining_precision': 100.0, 'mining_recall': 50.0, 'mining_f1': 66.66666666666666}
"""

from __future__ import annotations

from collections.abc import Set

from evalsuite.metrics.chunks import Counts

Pair = tuple[str, ...]


def mining_scores(gold: Set[Pair], predicted: Set[Pair]) -> dict[str, float]:
    """In percent; a pair counts once however often it was written.

    Raises:
        ValueError: no gold pairs.
    """
    if not gold:
        raise ValueError("no pairs to score")
    scores = Counts(len(gold & predicted), len(predicted), len(gold)).scores()
    return {f"mining_{name}": value for name, value in scores.items()}
