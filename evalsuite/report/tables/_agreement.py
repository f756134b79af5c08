"""Each system beside the first one scored: how often they say the same, and which is better."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.report.figures.formatting import NONE, percent, points
from evalsuite.report.figures.scores import TaskColumn, mean, results_of
from evalsuite.report.figures.systems import System
from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.results.task import TaskResult

_NOTE = (
    "Differences are between zero-shot means, in points above {whom}; interval and p by bootstrap "
    "over pairs of predictions of the same rows: what other rows of the same kind would change, "
    "not other trainings."
)


def beside_table(systems: Sequence[System], task: TaskColumn) -> Table | None:
    """One row a system that was scored beside another; None where none was."""
    found = {
        system.name: [result for result in results_of(system, task) if result.comparison]
        for system in systems
    }
    whom = dict.fromkeys(r.comparison.label for own in found.values() for r in own if r.comparison)
    if not whom:
        return None
    heads = (
        Column("same predictions", "mean, %"),
        Column("same predictions", "worst language, %"),
        Column("difference", "95% interval"),
        Column("p", "of no difference"),
    )
    rows = tuple(Row(Cell(name), _cells(own)) for name, own in found.items() if own)
    return Table("System", heads, rows, (_NOTE.format(whom=", ".join(whom)),))


def _cells(results: Sequence[TaskResult]) -> tuple[Cell, ...]:
    """Several models have no interval together."""
    beside = results[0].comparison if len(results) == 1 else None
    interval = beside.zero_shot_interval if beside else None
    return (
        Cell(percent(mean(_agreement(result) for result in results))),
        Cell(percent(mean(_worst(result) for result in results))),
        Cell(f"{points(interval[0])} to {points(interval[1])}" if interval else NONE),
        Cell(f"{beside.p:.3f}" if beside and beside.p is not None else NONE),
    )


def _agreement(result: TaskResult) -> float | None:
    same = result.comparison.agreement if result.comparison else {}
    return mean(value for code, value in same.items() if code != result.source_language)


def _worst(result: TaskResult) -> float | None:
    return min(result.comparison.agreement.values(), default=None) if result.comparison else None
