"""How predictions of two models are put side by side and compared, where nothing is special."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def align_in_order(predictions: Sequence[Any], ids: Sequence[str]) -> list[Any] | None:
    """One prediction per id, in the order of the file; None where there are more or fewer."""
    return list(predictions) if len(predictions) == len(ids) else None


def align_by_id(predictions: Mapping[str, Any], ids: Sequence[str]) -> list[Any] | None:
    """One prediction per id; None where the ids of the file are others."""
    return [predictions[id] for id in ids] if set(predictions) == set(ids) else None


def equal(first: Sequence[Any], second: Sequence[Any]) -> float:
    """Percent of predictions that are equal.

    >>> equal(["neutral", "entailment"], ["neutral", "neutral"])
    50.0

    Raises:
        ValueError: they are not of the same rows, or there are none.
    """
    pairs = list(zip(first, second, strict=True))
    if not pairs:
        raise ValueError("no predictions to compare")
    same: int = sum(a == b for a, b in pairs)
    return 100.0 * same / len(pairs)
