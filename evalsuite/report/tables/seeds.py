"""How scores vary over seeds: systems that differ in the matrix variable `seed` alone."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.report.figures.formatting import NONE, percent
from evalsuite.report.figures.scores import (
    Score,
    TaskColumn,
    average,
    can_be_averaged,
    comparable,
    score,
)
from evalsuite.report.figures.seeds import seed_groups, spread
from evalsuite.report.figures.systems import System
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table


def seed_table(systems: Sequence[System], tasks: Sequence[TaskColumn]) -> Table:
    """One row per system, over its seeds; no rows if nothing ran with several seeds."""
    groups = seed_groups(systems)
    averaged = len(tasks) > 1 and can_be_averaged(tasks)
    rows, apart = [], False
    for name, own in groups.items():
        columns = [_scores(own, task) for task in tasks]
        apart = apart or not all(_alike(found) for found in columns)
        cells = [_cell(_means(found)) if _alike(found) else Cell(NONE) for found in columns]
        if averaged:
            cells.append(_cell(_averages(own, tasks, all(_alike(found) for found in columns))))
        rows.append(Row(Cell(name), tuple(cells)))
    heads = [Column(task.name) for task in tasks]
    if averaged:
        heads.append(Column("Average", f"of {len(tasks)} tasks"))
    notes = ["Zero-shot score in percent: mean over seeds ± standard deviation (n−1)."]
    if apart:
        notes.append(f"{NONE}: the seeds were scored on different rows or languages.")
    return Table("System", tuple(heads), tuple(rows), tuple(notes) if rows else ())


def _scores(systems: Sequence[System], task: TaskColumn) -> list[Score]:
    found = [score(system, task) for system in systems]
    return [own for own in found if own is not None and own.mean is not None]


def _alike(found: Sequence[Score]) -> bool:
    return all(comparable(own, found[0]) for own in found)


def _means(found: Sequence[Score]) -> list[float]:
    return [own.mean for own in found if own.mean is not None]


def _averages(systems: Sequence[System], tasks: Sequence[TaskColumn], alike: bool) -> list[float]:
    """One average per seed; none if they are over different tasks or rows."""
    found = [own for system in systems if (own := average(system, tasks)) is not None]
    same = alike and len({own.over for own in found}) == 1
    return [own.mean for own in found] if same else []


def _cell(values: Sequence[float]) -> Cell:
    if not values:
        return Cell(NONE)
    own = spread(values)
    if own.deviation is None:
        return Cell(percent(own.mean), sub="1 seed")
    return Cell(f"{percent(own.mean)} ± {own.deviation:.1f}", sub=f"{own.count} seeds")


def _parts(content: Content) -> list[Part]:
    return [Part(seed_table(content.systems, content.tasks), label="Scores over seeds")]


TABLE = ReportTable("seeds", order=40, title="Over seeds", short_title="Seeds", parts=_parts)
