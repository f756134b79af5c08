"""Share of rows with the right label.

>>> accuracy(["neutral", "entailment"], ["neutral", "neutral"])
50.0
"""

from __future__ import annotations

from collections.abc import Sequence


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
