"""Each system compared with the first one: how often they predict the same, and which is better."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.report.figures.formatting import NONE, percent, points
from evalsuite.report.figures.scores import TaskColumn, mean, results_of
from evalsuite.report.figures.systems import System
from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.results.task import TaskResult

_NOTE = (
    "Differences are between zero-shot means, in points above {names}. Interval and p are from a "
    "bootstrap over pairs of predictions for the same rows: they show what other rows of the same "
    "kind would change, not what another training would."
)


def comparison_table(systems: Sequence[System], task: TaskColumn) -> Table | None:
    """One row per system that was compared with another; None if none was."""
    compared = {
        system.name: [result for result in results_of(system, task) if result.comparison]
        for system in systems
    }
    others = [r.comparison for results in compared.values() for r in results if r.comparison]
    if not others:
        return None
    heads = (
        Column("same predictions", "mean, %"),
        Column("same predictions", "worst language, %"),
        Column("difference", "95% interval"),
        Column("p", "of no difference"),
    )
    rows = tuple(Row(Cell(name), _cells(results)) for name, results in compared.items() if results)
    return Table(
        "System",
        heads,
        rows,
        (_NOTE.format(names=", ".join(dict.fromkeys(other.label for other in others))),),
    )


def _cells(results: Sequence[TaskResult]) -> tuple[Cell, ...]:
    """The interval is of one model, so several models have none."""
    other = results[0].comparison if len(results) == 1 else None
    interval = other.zero_shot_interval if other else None
    return (
        Cell(percent(mean(_agreement(result) for result in results))),
        Cell(percent(mean(_worst(result) for result in results))),
        Cell(f"{points(interval[0])} to {points(interval[1])}" if interval else NONE),
        Cell(f"{other.p:.3f}" if other and other.p is not None else NONE),
    )


def _agreement(result: TaskResult) -> float | None:
    same = result.comparison.agreement if result.comparison else {}
    return mean(value for code, value in same.items() if result.is_zero_shot(code))


def _worst(result: TaskResult) -> float | None:
    return min(result.comparison.agreement.values(), default=None) if result.comparison else None
