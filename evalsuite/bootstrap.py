"""How much a score would vary over other rows of the same kind: percentile bootstrap.

>>> import numpy as np
>>> right = np.array([[1, 1], [0, 1], [1, 1], [1, 1]])    # three of four rows
>>> interval(draws(right, seed=1))
(25.0, 100.0)

Most metrics are a ratio of sums over rows, which is what their `parts` give: the share of right
answers is right over 1 per row, chunk F1 is twice the chunks found over those predicted and those
there. The others are scored anew on each sample, which takes longer. Rows are drawn again with
replacement (Efron & Tibshirani 1993, chapter 13); with one seed, languages of as many rows draw the
same ones, as suits sets that are translations of one another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 1000
LEVEL = 95.0  # percent
LEAST_ROWS = 10  # fewer are alike by accident: of one row, all samples are the same
_AT_ONCE = 1_000_000  # drawn rows
_COLUMNS = 4  # of parts; up to so many, to add the drawn rows is faster than to count them


def ratio(sums: np.ndarray) -> np.ndarray:
    """Percent, `[..., 2]` to `[...]`; 0 where nothing is below the line."""
    import numpy as np

    above, below = sums[..., 0], sums[..., 1]
    return np.asarray(100.0 * above / np.where(below > 0, below, 1))


def draws(
    parts: np.ndarray,
    seed: int,
    resamples: int = RESAMPLES,
    of_sums: Callable[[np.ndarray], np.ndarray] = ratio,
) -> np.ndarray:
    """The metric, in percent, of each of `resamples` sets of as many rows, `[resamples]`.

    Args:
        parts: `[rows, sums]`, what each row adds to the sums, by default above and below the line.
        of_sums: the metric from the sums, `[..., sums]` to `[...]`.

    Raises:
        ValueError: no rows.
    """
    import numpy as np

    counts = parts.shape[1] > _COLUMNS and bool((parts == np.rint(parts)).all())
    sums = _sums_of_counts if counts else _sums_of_values
    samples = _samples(len(parts), seed, resamples)
    return np.concatenate([of_sums(sums(parts, rows)) for rows in samples])


def _sums_of_counts(parts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Sums of each set of rows, `[sets, sums]`, of whole numbers, whose sums have no rounding."""
    import numpy as np

    counts = np.stack([np.bincount(own, minlength=len(parts)) for own in rows])
    return np.asarray(counts @ parts)


def _sums_of_values(parts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The same of any numbers, added in the order of the rows."""
    import numpy as np

    columns = np.ascontiguousarray(parts.T)
    return np.stack([column.take(rows).sum(1) for column in columns], axis=-1)


def draws_anew(
    score: Callable[[np.ndarray], float], rows: int, seed: int, resamples: int = RESAMPLES
) -> np.ndarray:
    """The same of any metric: `score` is given the numbers of the rows of each set, `[rows]`.

    Raises:
        ValueError: no rows.
    """
    import numpy as np

    samples = _samples(rows, seed, resamples)
    return np.array([score(drawn) for block in samples for drawn in block])


def draws_of_samples(
    score: Callable[[np.ndarray], np.ndarray], rows: int, seed: int, resamples: int = RESAMPLES
) -> np.ndarray:
    """The same where `score` takes many sets at once, `[sets, rows]`, and gives `[sets]`.

    Raises:
        ValueError: no rows.
    """
    import numpy as np

    return np.concatenate([score(block) for block in _samples(rows, seed, resamples)])


def _samples(rows: int, seed: int, resamples: int) -> Iterator[np.ndarray]:
    """Numbers of rows, drawn with replacement, `[sets, rows]`, some sets at a time."""
    import numpy as np

    if not rows:
        raise ValueError("no rows to draw from")
    rng = np.random.default_rng(seed)
    step = max(1, _AT_ONCE // rows)
    for start in range(0, resamples, step):
        yield rng.integers(0, rows, (min(step, resamples - start), rows))


def p_value(differences: np.ndarray) -> float:
    """Two-sided, that there is no difference: how often what is drawn lies on the rarer side of 0.

    Differences are between draws of two models with one seed, so over the same rows (Koehn 2004,
    "Statistical Significance Tests for Machine Translation Evaluation"). One is added above and
    below, so that no p-value is 0 (Davison & Hinkley 1997, section 4.2).
    """
    rarer = min((differences <= 0).sum(), (differences >= 0).sum())
    return min(1.0, 2.0 * (float(rarer) + 1.0) / (len(differences) + 1.0))


def interval(drawn: np.ndarray) -> tuple[float, float]:
    """Between which the middle 95% lie."""
    import numpy as np

    low, high = np.percentile(drawn, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return float(low), float(high)
