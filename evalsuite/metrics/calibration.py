"""Expected calibration error: how far a model's probabilities are from how often it is right.

>>> import numpy as np
>>> calibration_error(np.array([0.9, 0.9, 0.6]), np.array([True, False, True]))
40.0

Guo et al. 2017, equation 3: predictions in bins of equal width by the probability of what was
predicted; the distance between mean probability and share of right ones, averaged over bins by
their size. In percent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

BINS = 15


def calibration_error(share: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """Over `[items]` probabilities of what was predicted, and whether it was right.

    Raises:
        ValueError: nothing was predicted.
    """
    import numpy as np

    if not len(share):
        raise ValueError("no predictions to calibrate")
    # A bin holds its upper edge; 0 lies in the first.
    of = np.clip(np.ceil(np.asarray(share, dtype=float) * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(of, share, bins) - np.bincount(of, right, bins)
    return float(100.0 * np.abs(gaps).sum() / len(share))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities along the last axis."""
    import numpy as np

    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(raised / raised.sum(-1, keepdims=True))
