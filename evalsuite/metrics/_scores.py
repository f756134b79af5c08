"""What all metrics of scores share: the numbers of the rows whose gold score is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalsuite.metric import Answers

if TYPE_CHECKING:
    import numpy as np


def numbers(answers: Answers) -> tuple[np.ndarray, np.ndarray]:
    """Gold and predicted scores, both `[rows]`.

    Raises:
        ValueError: no rows, or not as many predictions as rows.
    """
    import numpy as np

    shown = answers.shown()
    if not shown.gold:
        raise ValueError("no rows to score")
    if len(shown.gold) != len(shown.predicted):
        raise ValueError(f"{len(shown.predicted)} predictions for {len(shown.gold)} rows")
    return np.array(shown.gold, dtype=float), np.array(shown.predicted, dtype=float)


def correlation(gold: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Pearson's correlation along the last axis, in percent; 0 where all values are the same.

    That axis aside, both have the same shape, which the result has too. The arithmetic is that of
    `scipy.stats.pearsonr`, over many samples at once.
    """
    import numpy as np

    def units(values: np.ndarray) -> np.ndarray:
        centred = values - values.mean(-1, keepdims=True)
        length = np.linalg.norm(centred, axis=-1, keepdims=True)
        constant = (values == values[..., :1]).all(-1, keepdims=True)
        return np.where(constant, 0.0, centred / np.where(constant, 1.0, length))

    found = 100.0 * (units(gold) * units(predicted)).sum(-1)
    return np.asarray(found.clip(-100.0, 100.0))
