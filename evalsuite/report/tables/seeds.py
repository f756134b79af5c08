"""How scores vary over seeds: systems that differ in the matrix variable `seed` alone."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.report.figures.formatting import NONE, percent
from evalsuite.report.figures.scores import (
    Score,
    TaskColumn,
    average,
    averaged_tasks,
    score,
)
from evalsuite.report.figures.seeds import scored_alike, seed_groups, spread
from evalsuite.report.figures.systems import System
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table


def seed_table(systems: Sequence[System], tasks: Sequence[TaskColumn]) -> Table:
    """One row per system, over its seeds; no rows if nothing ran with several seeds."""
    groups = seed_groups(systems)
    averaged = averaged_tasks(systems, tasks)
    rows, apart = [], False
    for name, members in groups.items():
        columns = [_scores(members, task) for task in tasks]
        alike = [scored_alike(column) for column in columns]
        apart = apart or not all(alike)
        cells = [
            _cell(_means(column)) if same else Cell(NONE)
            for column, same in zip(columns, alike, strict=True)
        ]
        if averaged:
            same = all(a for task, a in zip(tasks, alike, strict=True) if task in averaged)
            cells.append(_cell(_averages(members, averaged) if same else []))
        rows.append(Row(Cell(name), tuple(cells)))
    heads = [Column(task.name) for task in tasks]
    if averaged:
        heads.append(Column("Average", f"of {len(averaged)} tasks"))
    notes = ["Zero-shot score in percent: mean over seeds ± standard deviation (n−1)."]
    if apart:
        notes.append(f"{NONE}: the seeds were scored on different rows or languages.")
    return Table("System", tuple(heads), tuple(rows), tuple(notes) if rows else ())


def _scores(systems: Sequence[System], task: TaskColumn) -> list[Score]:
    scores = [score(system, task) for system in systems]
    return [s for s in scores if s is not None and s.mean is not None]


def _means(scores: Sequence[Score]) -> list[float]:
    return [s.mean for s in scores if s.mean is not None]


def _averages(systems: Sequence[System], tasks: Sequence[TaskColumn]) -> list[float]:
    """One average per seed; none where a seed has not all tasks."""
    averages = [average(system, tasks) for system in systems]
    whole = [a.mean for a in averages if a is not None and len(a.over) == len(tasks)]
    return whole if len(whole) == len(systems) else []


def _cell(values: Sequence[float]) -> Cell:
    if not values:
        return Cell(NONE)
    summary = spread(values)
    if summary.deviation is None:
        return Cell(percent(summary.mean), sub="1 seed")
    return Cell(f"{percent(summary.mean)} ± {summary.deviation:.1f}", sub=f"{summary.count} seeds")


def _parts(content: Content) -> list[Part]:
    return [Part(seed_table(content.systems, content.tasks), label="Scores over seeds")]


TABLE = ReportTable("seeds", order=40, title="Over seeds", short_title="Seeds", parts=_parts)
