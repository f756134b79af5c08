"""Which models no other model beats on one task: by mean or worst language, for size or speed.

>>> rows = task_front(systems, column)
>>> [(row.name, row.best) for row in rows]
[('teacher', (MEAN_SIZE, WORST_SIZE)), ('int8', (MEAN_SIZE, MEAN_SPEED, WORST_SIZE, WORST_SPEED))]

Systems that differ in their seed alone are one row. Rows that were scored on other languages or on
other rows of data than most are left out: nothing compares with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from evalsuite.report.figures.costs import cost, first_setting
from evalsuite.report.figures.pareto_front import front
from evalsuite.report.figures.scores import (
    TaskColumn,
    comparable,
    language_means,
    mean,
    most_comparable,
    results_of,
    score,
    scored_on,
)
from evalsuite.report.figures.seeds import Spread, seed_groups, spread
from evalsuite.report.figures.systems import System

MEAN_SIZE, MEAN_SPEED = "mean for its size", "mean for its speed"
WORST_SIZE, WORST_SPEED = "worst language for its size", "worst language for its speed"


@dataclass(frozen=True, slots=True)
class FrontRow:
    """A model on a task, or the mean over the seeds of one.

    Attributes:
        score: zero-shot, percent, over the seeds.
        worst: the language with the lowest score, and that score.
        megabytes: on disk.
        per_second: texts in a second; None where no speed was measured.
        best: in which of the four ways no other row is as good or better in both and better in one.
    """

    name: str
    score: Spread
    worst: tuple[str, float]
    megabytes: float
    per_second: float | None
    best: tuple[str, ...] = ()


def task_front(systems: Sequence[System], task: TaskColumn) -> tuple[FrontRow, ...]:
    """The rows of a task, the largest model first; none where fewer than two can be compared."""
    where = first_setting([scored_on(one, task) for one in systems if results_of(one, task)])
    groups = _groups(systems)
    cells = {name: [score(system, task) for system in members] for name, members in groups.items()}
    first = most_comparable(cell for of_group in cells.values() for cell in of_group)
    rows = []
    for name, members in groups.items():
        scores = [cell for cell in cells[name] if cell is not None and cell.mean is not None]
        if first is None or not scores or not all(comparable(one, first) for one in scores):
            continue
        members = tuple(scored_on(one, task) for one in members if results_of(one, task))
        by_language = _by_language(members, task)
        rates = [cost(system, where).sentences_per_second for system in members]
        rows.append(
            FrontRow(
                name,
                spread([one.mean for one in scores if one.mean is not None]),
                min(by_language.items(), key=lambda item: item[1]),
                sum(cost(system, None).bytes for system in members) / len(members) / 1e6,
                mean(rates),
            )
        )
    if len(rows) < 2:
        return ()
    rows.sort(key=lambda row: -row.megabytes)
    best = _best(rows)
    return tuple(replace(row, best=tuple(best[i])) for i, row in enumerate(rows))


def _groups(systems: Sequence[System]) -> Mapping[str, tuple[System, ...]]:
    """The systems by name; those of several seeds under the name that they share."""
    several = seed_groups(systems)
    within = {member.name for members in several.values() for member in members}
    alone = {system.name: (system,) for system in systems if system.name not in within}
    return {**several, **alone}


def _by_language(systems: Sequence[System], task: TaskColumn) -> dict[str, float]:
    """Zero-shot scores, means over the systems."""
    results = [result for system in systems for result in results_of(system, task)]
    codes = {
        code
        for result in results
        for code in result.metrics[result.main_metric]
        if result.is_zero_shot(code)
    }
    means = language_means(results, task.metric)
    return {code: means[code] for code in sorted(codes)}


def _best(rows: Sequence[FrontRow]) -> list[list[str]]:
    """For each row the ways in which it is on the front."""
    found: list[list[str]] = [[] for _ in rows]
    sized = [i for i, row in enumerate(rows) if row.megabytes > 0]  # 0 where it is not known
    timed = [i for i, row in enumerate(rows) if row.per_second]
    sizes, speeds = [row.megabytes for row in rows], [row.per_second or 0.0 for row in rows]
    means, worst = [row.score.mean for row in rows], [row.worst[1] for row in rows]
    for way, members, smaller, x, y in (
        (MEAN_SIZE, sized, True, sizes, means),
        (MEAN_SPEED, timed, False, speeds, means),
        (WORST_SIZE, sized, True, sizes, worst),
        (WORST_SPEED, timed, False, speeds, worst),
    ):
        for i in front([(x[k], y[k]) for k in members], smaller_is_better=smaller):
            found[members[i]].append(way)
    return found
