"""Probabilities of what a model predicts, from its logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """A probability of each logit by itself."""
    import numpy as np

    return np.asarray(np.exp(-np.logaddexp(0.0, -logits)))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of the probabilities along the last axis.

    >>> log_softmax(np.array([1.0, 1.0]))
    array([-0.69314718, -0.69314718])
    """
    import numpy as np

    moved = logits - logits.max(-1, keepdims=True)
    return np.asarray(moved - np.log(np.exp(moved).sum(-1, keepdims=True)))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities along the last axis."""
    import numpy as np

    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(raised / raised.sum(-1, keepdims=True))
