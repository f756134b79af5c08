"""Systems that differ in the matrix variable `seed` alone, and how their scores vary.

>>> spread([60.0, 62.0, 64.0])
Spread(mean=62.0, deviation=2.0, count=3)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from evalsuite.report.figures.systems import SEPARATOR, System

SEED = "seed"


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation (n-1) over seeds; no deviation over one."""

    mean: float
    deviation: float | None
    count: int


def spread(values: Sequence[float]) -> Spread:
    """Of at least one value."""
    return Spread(fmean(values), stdev(values) if len(values) > 1 else None, len(values))


def seed_groups(systems: Sequence[System]) -> dict[str, tuple[System, ...]]:
    """Systems with scores that are one but for the seed, by the name they share."""
    groups: dict[tuple[str, str], list[System]] = {}
    for system in systems:
        if system.scores and SEED in dict(system.label.variables):
            key = str(system.label.without({SEED})), system.opened_in
            groups.setdefault(key, []).append(system)
    several = {key: tuple(members) for key, members in groups.items() if len(members) > 1}
    labels = [label for label, _ in several]
    return {
        f"{label}{SEPARATOR}{opened_in}" if labels.count(label) > 1 else label: members
        for (label, opened_in), members in several.items()
    }
