"""Expected calibration error: how far a model's probabilities are from how often it is right.

>>> import numpy as np
>>> calibration_error(np.array([0.9, 0.9, 0.6]), np.array([True, False, True]))
40.00000000000001

Guo et al. 2017, equation 3: predictions in bins of equal width by the probability of what was
predicted; the distance between mean probability and share of right ones, averaged over bins by
their size. In percent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalsuite.metric import Answers, Metric

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


def _score(answers: Answers) -> dict[str, float]:
    """Over the rows whose gold answer is not hidden."""
    import numpy as np

    shown = answers.shown()
    right = [said == gold for gold, (said, _) in zip(shown.gold, shown.predicted, strict=True)]
    share = [probability for _, probability in shown.predicted]
    return {"calibration_error": calibration_error(np.array(share), np.array(right))}


METRIC = Metric({"calibration_error": "calibration error"}, "probabilities", _score)
