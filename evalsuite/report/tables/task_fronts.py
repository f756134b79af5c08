"""Per task: mean, worst language, size and speed of each model, and where no other is better."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from evalsuite.report.figures.formatting import NONE, number, percent
from evalsuite.report.figures.machines import by_machine
from evalsuite.report.figures.names import language_name
from evalsuite.report.figures.task_front import (
    MEAN_SIZE,
    MEAN_SPEED,
    WORST_SIZE,
    WORST_SPEED,
    FrontRow,
    task_front,
)
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table

_COLUMNS = (
    Column("Zero-shot mean", "%"),
    Column("Worst language", "%"),
    Column("Size", "MB"),
    Column("Speed", "texts/s"),
    Column("No other is better", "for its size", numeric=False),
    Column("No other is better", "for its speed", numeric=False),
)
_NOTE = (
    "No other is better: every other model is larger (slower) or has a lower score. Mean and worst "
    "language are compared apart."
)


def front_table(rows: tuple[FrontRow, ...]) -> Table:
    """A row per model, the largest first."""
    found = tuple(Row(Cell(row.name), _cells(row)) for row in rows)
    return Table("System", _COLUMNS, found, (_NOTE,) if rows else ())


def _cells(row: FrontRow) -> tuple[Cell, ...]:
    code, worst = row.worst
    deviation, seeds = row.score.deviation, row.score.count
    text = percent(row.score.mean)
    return (
        Cell(text)
        if deviation is None
        else Cell(f"{text} ± {deviation:.1f}", sub=f"{seeds} seeds"),
        Cell(percent(worst), sub=language_name(code) or code),
        Cell(number(row.megabytes)),
        Cell(NONE if row.per_second is None else number(row.per_second)),
        _best(row, MEAN_SIZE, WORST_SIZE),
        _best(row, MEAN_SPEED, WORST_SPEED),
    )


def _best(row: FrontRow, by_mean: str, by_worst: str) -> Cell:
    words = [word for way, word in ((by_mean, "mean"), (by_worst, "worst")) if way in row.best]
    return Cell(", ".join(words) or NONE)


def _parts(content: Content) -> Iterator[Part]:
    for machine, measured in by_machine(content.systems):
        on_it = {system.name: system.speeds for system in measured}
        # Sizes are compared among all systems, speeds among those measured on the machine.
        systems = [replace(s, speeds=on_it.get(s.name, ())) for s in content.systems]
        for task in content.tasks:
            rows = task_front(systems, task)
            yield Part(
                front_table(rows),
                label=f"Front of {task.name}",
                heading=f"{task.name}: models that no other beats",
                aside=machine,
                fold="closed",
            )


TABLE = ReportTable("pareto", order=72, parts=lambda content: list(_parts(content)))
