"""All scores of a task's predictions, by metric name.

>>> score_pairs(["neutral", "entailment"], ["neutral", "neutral"])
{'accuracy': 50.0}

They agree with the XTREME scorer on the benchmark's own mock submission
(`tests/evalsuite/test_scoring.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evalsuite.errors import DataError
from evalsuite.metrics.accuracy import accuracy
from evalsuite.metrics.calibration import calibration_error, softmax
from evalsuite.metrics.chunks import chunk_f1
from evalsuite.metrics.token_accuracy import token_accuracy
from evalsuite.task import Task

if TYPE_CHECKING:
    import numpy as np


def score_pairs(gold: Sequence[str], predicted: Sequence[str]) -> dict[str, float]:
    """`accuracy`."""
    return {"accuracy": accuracy(gold, predicted)}


def score_shown(
    gold: Sequence[Any], predicted: Sequence[Any], positive: str | None = None
) -> dict[str, float]:
    """`accuracy` over the rows whose gold label is not hidden (None), and `f1` of the label
    `positive`, 0 where no row has it and none is said to."""
    shown = [(g, p) for g, p in zip(gold, predicted, strict=True) if g is not None]
    scores = score_pairs([g for g, _ in shown], [p for _, p in shown])
    if positive is None:
        return scores
    both = sum(g == p == positive for g, p in shown)
    either = sum((g == positive) + (p == positive) for g, p in shown)
    return {**scores, "f1": 100 * 2 * both / either if either else 0.0}


def shown_parts(gold: Sequence[Any], predicted: Sequence[Any]) -> np.ndarray:
    """Right or not, `[rows, 2]`; rows whose gold label is hidden add nothing."""
    import numpy as np

    rows = zip(gold, predicted, strict=True)
    return np.array([(g is not None and g == p, g is not None) for g, p in rows], dtype=float)


def shown_calibration(
    gold: Sequence[Any], logits: Sequence[np.ndarray], predicted: Sequence[Any]
) -> float:
    """Calibration error over the rows whose gold label is not hidden."""
    import numpy as np

    rows = [i for i, label in enumerate(gold) if label is not None]
    shares = [float(softmax(logits[i]).max()) for i in rows]
    return calibration_error(np.array(shares), np.array([predicted[i] == gold[i] for i in rows]))


def score_tags(
    task: Task, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]
) -> dict[str, float]:
    """`token_accuracy`; with `chunk_f1`, `chunk_precision` and `chunk_recall` where that is the
    task's metric.

    Raises:
        DataError: a predicted tag is none of the task's.
        ValueError: the two are not of the same sentences.
    """
    if strange := {tag for row in predicted for tag in row} - set(task.labels):
        raise DataError(
            f"{task.name}: predicted tags {' '.join(sorted(strange))} are none of "
            f"{' '.join(task.labels)}"
        )
    by_word = {"token_accuracy": token_accuracy(gold, predicted)}
    if task.metric == "token_accuracy":
        return by_word
    return {f"chunk_{name}": value for name, value in chunk_f1(gold, predicted).items()} | by_word


def score_retrieval(gold: Sequence[int], predicted: Sequence[int]) -> dict[str, float]:
    """`retrieval_accuracy`, of row indices."""
    return {"retrieval_accuracy": accuracy(gold, predicted)}
