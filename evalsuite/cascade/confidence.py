"""Calibrated log-probabilities, and how sure a model is of a row.

A model's logits are divided by one number, its temperature, so that its probabilities are as high
as its answers are right (temperature scaling: Guo et al. 2017, section 4.2). How sure it is of a
row is its largest probability: Hendrycks & Gimpel 2017 find wrong answers by it, and cascades defer
by it (Wang et al. 2018, "IDK cascades"; Varshney & Baral 2022, "Model cascading", MaxProb).
Jitkrittum et al. 2023 show when that is enough, and when a learned rule would defer better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalsuite.inference.softmax import log_softmax

if TYPE_CHECKING:
    import numpy as np


def log_probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Log-softmax of the logits over a temperature, `[..., labels]`, float64.

    >>> log_probabilities(np.array([[1.0, 1.0]]))
    array([[-0.69314718, -0.69314718]])
    """
    import numpy as np

    return log_softmax(np.asarray(logits, dtype=np.float64) / temperature)


def confidence(scores: np.ndarray) -> np.ndarray:
    """The largest probability of each row, `[rows]`, from log-probabilities `[rows, labels]`."""
    import numpy as np

    return np.asarray(np.exp(scores.max(-1)))
