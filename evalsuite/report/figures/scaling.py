"""How scores grow with size: points per tenfold parameters, with their 95% interval.

>>> fit([7.0, 8.0, 9.0], [50.0, 62.0, 68.0])
Fit(slope=9.0, low=-13.0..., high=31.0..., intercept=-12.0, count=3)

Ordinary least squares of the zero-shot score on log10 parameters. The interval is that of the
slope under independent normal errors: Student's t with n-2 degrees of freedom, which for three
sizes is 12.7 standard errors wide on either side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log10

from evalsuite.report.figures.scores import (
    TaskColumn,
    average,
    averaged_tasks,
    comparable,
    most_comparable,
    score,
)
from evalsuite.report.figures.systems import System

SIZES = 3  # fewer make no line worth drawing
APART = log10(1.05)
AVERAGE = "Average"


@dataclass(frozen=True, slots=True)
class Fit:
    """A line `score = intercept + slope * log10(parameters)`; `low` to `high` hold the slope."""

    slope: float
    low: float
    high: float
    intercept: float
    count: int


def fit(xs: Sequence[float], ys: Sequence[float]) -> Fit | None:
    """Least squares of y on x; None with fewer than three different x."""
    if len(set(xs)) < SIZES:
        return None
    from scipy.stats import linregress, t

    line = linregress(xs, ys)
    reach = float(t.ppf(0.975, len(xs) - 2)) * float(line.stderr)
    slope = float(line.slope)
    return Fit(slope, slope - reach, slope + reach, float(line.intercept), len(xs))


@dataclass(frozen=True, slots=True)
class Scaling:
    """The systems of one runtime and precision, the smallest first, and what they score."""

    opened_in: str
    systems: tuple[System, ...]
    scores: dict[str, tuple[float | None, ...]]  # column of the table -> one per system

    def fit(self, column: str, *, embeddings: bool = True) -> Fit | None:
        """The line of one column, over parameters with or without the word embeddings."""
        sizes = [parameters(system, embeddings=embeddings) for system in self.systems]
        pairs = zip(sizes, self.scores[column], strict=True)
        known = [(log10(size), y) for size, y in pairs if y is not None and size > 0]
        if different([x for x, _ in known]) < SIZES:
            return None
        return fit([x for x, _ in known], [y for _, y in known])


def different(logs: Sequence[float]) -> int:
    """How many sizes there are; those less than 5% apart (another head) are one.

    >>> different([7.0, 7.001, 7.3])
    2
    """
    count, last = 0, -inf
    for size in sorted(logs):
        if size - last >= APART:
            count, last = count + 1, size
    return count


def parameters(system: System, *, embeddings: bool = True) -> float:
    """Mean over a system's variants, with or without the word embeddings."""
    counts = [m.parameters - (0 if embeddings else m.embedding_parameters) for m in system.models]
    return sum(counts) / len(counts)


def scalings(systems: Sequence[System], tasks: Sequence[TaskColumn]) -> tuple[Scaling, ...]:
    """One per runtime and precision with a column that has scores at three sizes or more."""
    groups: dict[str, list[System]] = {}
    for system in systems:
        if system.scores:
            groups.setdefault(system.opened_in, []).append(system)
    fitted = []
    for opened_in, members in groups.items():
        members.sort(key=parameters)
        scaling = Scaling(opened_in, tuple(members), _scores(members, tasks))
        if any(scaling.fit(column) for column in scaling.scores):
            fitted.append(scaling)
    return tuple(fitted)


def _scores(
    systems: Sequence[System], tasks: Sequence[TaskColumn]
) -> dict[str, tuple[float | None, ...]]:
    """Zero-shot means by column; scores on other rows than most are left out."""
    by_column: dict[str, tuple[float | None, ...]] = {}
    averaged = averaged_tasks(systems, tasks)
    whole = {system.name for system in systems}  # scored on all of these, on the same rows
    for task in tasks:
        cells = [score(system, task) for system in systems]
        first = most_comparable(cells)
        by_column[task.name] = tuple(
            cell.mean if cell and first and comparable(cell, first) else None for cell in cells
        )
        whole -= {
            system.name
            for system, value in zip(systems, by_column[task.name], strict=True)
            if value is None and task in averaged
        }
    if averaged:
        means = {system.name: average(system, averaged) for system in systems}
        by_column[AVERAGE] = tuple(
            mean.mean if (mean := means[s.name]) and s.name in whole else None for s in systems
        )
    return by_column
