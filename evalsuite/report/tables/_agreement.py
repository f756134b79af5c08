"""Systems compared with the first of their stage: how often they agree, and which is better."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.report.figures.formatting import NONE, percent, points
from evalsuite.report.figures.scores import TaskColumn, by_model, mean, results_of, too_few_rows
from evalsuite.report.figures.systems import System
from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.results.task import TaskResult

_NOTE = (
    "Differences are between zero-shot means, in points above {names}. Interval and p are from a "
    "bootstrap over pairs of predictions for the same rows: they show what other rows of the same "
    "kind would change, not what another training would."
)
_UNLIKE = (
    "Where one model scores two sentences with a head and the other by the cosine of their "
    "vectors, no share of same predictions is given: the two have different units."
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
    labels = dict.fromkeys(other.label for other in others)
    heads = (
        *([Column("compared with", numeric=False)] if len(labels) > 1 else []),
        Column("same predictions", "mean, %"),
        Column("same predictions", "worst language, %"),
        Column("difference", "95% interval"),
        Column("p", "of no difference"),
    )
    rows = tuple(
        Row(Cell(name), (*(_compared_with(results) if len(labels) > 1 else ()), *_cells(results)))
        for name, results in compared.items()
        if results
    )
    notes = [_NOTE.format(names=", ".join(labels))]
    if not all(other.agreement for other in others):
        notes.append(_UNLIKE)
    every = (result for results in compared.values() for result in results)
    notes += too_few_rows(r for r in every if r.comparison and r.comparison.p is None)
    return Table("System", heads, rows, tuple(notes))


def _compared_with(results: Sequence[TaskResult]) -> tuple[Cell]:
    labels = dict.fromkeys(r.comparison.label for r in results if r.comparison)
    return (Cell(", ".join(labels)),)


def _cells(results: Sequence[TaskResult]) -> tuple[Cell, ...]:
    """The interval is of one model, so several models have none."""
    other = results[0].comparison if len(results) == 1 else None
    interval = other.zero_shot_interval if other else None
    return (
        Cell(percent(mean(_agreement(own) for own in by_model(results)))),
        Cell(percent(mean(_worst(own) for own in by_model(results)))),
        Cell(f"{points(interval[0])} to {points(interval[1])}" if interval else NONE),
        Cell(f"{other.p:.3f}" if other and other.p is not None else NONE),
    )


def _agreement(results: Sequence[TaskResult]) -> float | None:
    """Of one model, the mean over the languages without training rows."""
    return mean(same for same, zero_shot in _by_language(results).values() if zero_shot)


def _worst(results: Sequence[TaskResult]) -> float | None:
    return min((same for same, _ in _by_language(results).values()), default=None)


def _by_language(results: Sequence[TaskResult]) -> dict[str, tuple[float, bool]]:
    """Of one model: language -> percent of equal predictions, and whether it is zero-shot.

    Several stages may have compared the model; of a language that is there twice the first counts.
    """
    return {
        code: (same, result.is_zero_shot(code))
        for result in reversed(results)
        if result.comparison
        for code, same in result.comparison.agreement.items()
    }
