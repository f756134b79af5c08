"""How much a score would vary over other rows of the same kind: percentile bootstrap.

>>> import numpy as np
>>> right = np.array([[1, 1], [0, 1], [1, 1], [1, 1]])    # three of four rows
>>> interval(draws(right, seed=1))
(25.0, 100.0)

Every main metric is a ratio of sums over rows, which is what `parts` of each format gives: the
share of right answers is right over 1 a row, chunk F1 is twice the chunks found over those
predicted and those there. Rows are drawn again with replacement (Efron & Tibshirani 1993, chapter
13); with one seed, languages of as many rows draw the same ones, as suits sets that are
translations of one another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 1000
LEVEL = 95.0  # percent
_AT_ONCE = 1_000_000  # drawn rows


def draws(parts: np.ndarray, seed: int, resamples: int = RESAMPLES) -> np.ndarray:
    """The metric, in percent, of each of `resamples` sets of as many rows, `[resamples]`.

    Args:
        parts: `[rows, 2]`, what each row adds above and below the line.

    Raises:
        ValueError: no rows.
    """
    import numpy as np

    if not len(parts):
        raise ValueError("no rows to draw from")
    rng = np.random.default_rng(seed)
    found = np.empty(resamples)
    columns = np.ascontiguousarray(parts.T)
    step = max(1, _AT_ONCE // len(parts))
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        rows = rng.integers(0, len(parts), (count, len(parts)))
        sums = [column.take(rows).sum(1) for column in columns]
        found[start : start + count] = ratio(np.stack(sums, axis=-1))
    return found


def p_value(differences: np.ndarray) -> float:
    """Two-sided, that there is no difference: how often what is drawn lies on the rarer side of 0.

    Differences are between draws of two models with one seed, so over the same rows (Koehn 2004,
    "Statistical Significance Tests for Machine Translation Evaluation"). One is added above and
    below, so that no p-value is 0 (Davison & Hinkley 1997, section 4.2).
    """
    rarer = min((differences <= 0).sum(), (differences >= 0).sum())
    return min(1.0, 2.0 * (float(rarer) + 1.0) / (len(differences) + 1.0))


def ratio(sums: np.ndarray) -> np.ndarray:
    """Percent, `[..., 2]` to `[...]`; 0 where nothing is below the line."""
    import numpy as np

    above, below = sums[..., 0], sums[..., 1]
    return np.asarray(100.0 * above / np.where(below > 0, below, 1))


def interval(drawn: np.ndarray) -> tuple[float, float]:
    """Between which the middle 95% lie."""
    import numpy as np

    low, high = np.percentile(drawn, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return float(low), float(high)
