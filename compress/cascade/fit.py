"""Temperatures and thresholds of a cascade, from what its members say of labelled rows.

>>> fitted = fit_loss(sure, sums, bootstrap.ratio, lowest=87.5, costs=[4.0])
>>> fitted.thresholds, fitted.answered
([0.93], [812, 188])

Nothing here opens a model. All arrays are over the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalsuite.cascade.confidence import log_probabilities
from evalsuite.cascade.rule import NEVER

if TYPE_CHECKING:
    import numpy as np

OfSums = Callable[["np.ndarray"], "np.ndarray"]
TEMPERATURES = (0.05, 20.0)
_TRIED = 100  # numbers of rows that the first of three members passes on
_ROUNDING = 1e-9  # of scores, in points


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fit.

    Attributes:
        thresholds: of each member but the last.
        answered: rows that each member answers.
    """

    thresholds: list[float]
    answered: list[int]


@dataclass(frozen=True, slots=True)
class _Cut:
    """Rows of one member, the least sure first, and after how many of them it may be cut.

    Attributes:
        order: the rows.
        sure: how sure the member is of them, in this order.
        counts: numbers of rows that can go on: rows of which it is equally sure stay together.
    """

    order: np.ndarray
    sure: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, sure: np.ndarray) -> _Cut:
        import numpy as np

        order = np.argsort(sure, kind="stable")
        ordered = sure[order]
        apart = np.flatnonzero(ordered[1:] > ordered[:-1]) + 1
        return cls(order, ordered, np.unique([0, *apart, len(sure)]))

    def threshold(self, count: int) -> float:
        """Where this many rows go on: half way to the next row, so that rounding moves no row."""
        if count == 0:
            return 0.0
        if count == len(self.sure):
            return NEVER
        below, above = float(self.sure[count - 1]), float(self.sure[count])
        middle = (below + above) / 2
        return middle if below < middle else above


def temperature(logits: np.ndarray, gold: np.ndarray) -> float:
    """The temperature with which the gold labels are most likely (Guo et al. 2017, section 4.2).

    Args:
        logits: `[rows, labels]`.
        gold: numbers of the labels, `[rows]`.
    """
    import numpy as np
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(gold))

    def surprise(log: float) -> float:
        return float(-log_probabilities(logits, float(np.exp(log)))[rows, gold].mean())

    bounds = tuple(float(np.log(end)) for end in TEMPERATURES)
    return float(np.exp(minimize_scalar(surprise, bounds=bounds, method="bounded").x))


def fit_loss(
    sure: Sequence[np.ndarray],
    sums: Sequence[np.ndarray],
    of_sums: OfSums,
    lowest: float,
    costs: Sequence[float],
) -> Fitted:
    """The thresholds with which the score is at least `lowest`, and the cost is least.

    With two members, exact: the fewest rows that go on. With three, the first member passes on one
    of about a hundred numbers of rows, and the second threshold is exact for each of them.

    Args:
        sure: of each member but the last, how sure it is, `[rows]`.
        sums: of each member, what each row adds to the sums of the metric, `[rows, sums]`
            (`Metric.parts`).
        of_sums: the score from the sums, `[..., sums]` to `[...]`.
        costs: operations of each member but the first for one row.
    """
    import numpy as np

    if len(sums) == 2:
        count = _fewest(sure[0], sums[0], sums[1], of_sums, lowest)
        assert count is not None  # all rows go on: the last member's own score
        return _fitted(sure, [count])
    cut = _Cut.of(sure[0])
    spread = np.unique(np.linspace(0, len(cut.counts) - 1, _TRIED).round().astype(int))
    best: tuple[float, int, int] | None = None
    for first in cut.counts[spread].tolist():
        passed, kept = cut.order[:first], cut.order[first:]
        base = sums[0][kept].sum(0)
        second = _fewest(sure[1][passed], sums[1][passed], sums[2][passed], of_sums, lowest, base)
        if second is None:
            continue
        cost = first * costs[0] + second * costs[1]
        if best is None or (cost, second) < (best[0], best[2]):
            best = (cost, first, second)
    assert best is not None
    return _fitted(sure, list(best[1:]))


def fit_budget(sure: Sequence[np.ndarray], budget: float) -> Fitted:
    """The thresholds with which at most `budget` percent of the rows that a member reads go on."""
    counts, rows = [], None
    for own in sure:
        read = own if rows is None else own[rows]
        cut = _Cut.of(read)
        most = budget / 100 * len(read)
        counts.append(int(cut.counts[cut.counts <= most + _ROUNDING].max()))
        left = cut.order[: counts[-1]]
        rows = left if rows is None else rows[left]
    return _fitted(sure, counts)


def fit_agreement(sure: np.ndarray, equal: np.ndarray, least: float) -> float:
    """The lowest threshold of a member with which its answers agree with the last member's.

    Args:
        equal: whether both give the same label, `[rows]`.
        least: share of the rows it answers that must be equal, 0 to 1.
    """
    import numpy as np

    cut = _Cut.of(sure)
    ordered = equal[cut.order].astype(float)
    rest = np.concatenate([ordered[::-1].cumsum()[::-1], [0.0]])[cut.counts]
    share = rest / np.maximum(len(sure) - cut.counts, 1)
    fine = (share >= least - _ROUNDING) | (cut.counts == len(sure))
    return cut.threshold(int(cut.counts[fine].min()))


def _fewest(
    sure: np.ndarray,
    own: np.ndarray,
    rest: np.ndarray,
    of_sums: OfSums,
    lowest: float,
    base: np.ndarray | float = 0.0,
) -> int | None:
    """The fewest rows that must go on for a score; None where no number of them gives it.

    Args:
        own, rest: sums of each row where the member answers it, and where it goes on.
        base: sums of the rows that were answered before.
    """
    import numpy as np

    cut = _Cut.of(sure)
    nothing = np.zeros((1, own.shape[1]))
    gone = np.concatenate([nothing, rest[cut.order].cumsum(0)])
    kept = own.sum(0) - np.concatenate([nothing, own[cut.order].cumsum(0)])
    scores = of_sums((base + gone + kept)[cut.counts])
    fine = cut.counts[scores >= lowest - _ROUNDING]
    return int(fine.min()) if len(fine) else None


def _fitted(sure: Sequence[np.ndarray], counts: Sequence[int]) -> Fitted:
    """The thresholds with which these numbers of rows go on."""
    thresholds, answered = [], []
    read, rows = len(sure[0]), None
    for own, count in zip(sure, counts, strict=True):
        cut = _Cut.of(own if rows is None else own[rows])
        thresholds.append(cut.threshold(count))
        answered.append(read - count)
        left = cut.order[:count]
        read, rows = count, left if rows is None else rows[left]
    return Fitted(thresholds, [*answered, read])
