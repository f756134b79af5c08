"""The main table: systems by tasks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from evalsuite.report.figures.formatting import NONE, between, listed, percent, points
from evalsuite.report.figures.names import metric_name
from evalsuite.report.figures.scores import (
    Average,
    Score,
    TaskColumn,
    average,
    average_delta,
    averaged_tasks,
    can_be_averaged,
    comparable,
    delta,
    mean,
    results_of,
    score,
    too_few_rows,
)
from evalsuite.report.figures.systems import System
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table


def main_table(systems: Sequence[System], tasks: Sequence[TaskColumn]) -> Table:
    """One row per scored system, one column per task, then the average; the last row is chance."""
    scored = [system for system in systems if system.scores]
    averaged = averaged_tasks(scored, tasks)
    grid = {system.name: [score(system, task) for task in tasks] for system in scored}
    reference = grid[scored[0].name] if scored else []
    rows = []
    for system in scored:
        cells = [
            _cell(value, None if system is scored[0] else delta(value, first))
            for value, first in zip(grid[system.name], reference, strict=True)
        ]
        if averaged:
            first = scored[0]
            difference = None if system is first else average_delta(system, first, averaged)
            cells.append(_average_cell(average(system, averaged), difference, len(averaged)))
        rows.append(Row(Cell(system.name, sub=system.description), tuple(cells)))
    if scored:
        rows.append(_chance_row(grid, tasks, averaged))
    heads = [_head(task, [grid[s.name][i] for s in scored]) for i, task in enumerate(tasks)]
    if averaged:
        heads.append(Column("Average", f"of {len(averaged)} tasks"))
    return Table("System", tuple(heads), tuple(rows), tuple(_notes(scored, tasks, grid)))


def _head(task: TaskColumn, cells: Sequence[Score | None]) -> Column:
    languages = {len(cell.languages) for cell in cells if cell is not None}
    if not languages or languages == {0}:
        return Column(task.name, metric_name(task.metric))
    low, high = min(languages), max(languages)
    count = f"{low}" if low == high else f"{low} to {high}"
    plural = "" if high == 1 else "s"
    return Column(task.name, f"{metric_name(task.metric)}, {count} language{plural}")


def _cell(value: Score | None, difference: float | None) -> Cell:
    if value is None:
        return Cell(NONE)
    sub = [text] if (text := between(value.interval)) else []
    if value.source is not None:
        sub.append(f"{value.source_language} {percent(value.source)}")
    if value.models > 1:
        sub.append(f"{value.models} models")
    return Cell(percent(value.mean), points(difference), " · ".join(sub))


def _average_cell(value: Average | None, difference: float | None, total: int) -> Cell:
    """Empty for a system that has fewer tasks: such a mean compares with no other."""
    if value is None:
        return Cell(NONE)
    if len(value.over) < total:
        return Cell(NONE, sub=f"{len(value.over)} of {total} tasks")
    return Cell(percent(value.mean), points(difference))


def _chance_row(
    grid: dict[str, list[Score | None]],
    tasks: Sequence[TaskColumn],
    averaged: Sequence[TaskColumn],
) -> Row:
    guesses = [
        mean(cell.chance for cells in grid.values() if (cell := cells[i]) is not None)
        for i in range(len(tasks))
    ]
    cells = [Cell(percent(guess)) for guess in guesses]
    if averaged:
        own = [guess for task, guess in zip(tasks, guesses, strict=True) if task in averaged]
        cells.append(Cell(NONE if None in own else percent(mean(own))))
    return Row(Cell("chance"), tuple(cells), "aside")


def _notes(
    scored: Sequence[System], tasks: Sequence[TaskColumn], grid: dict[str, list[Score | None]]
) -> list[str]:
    if not scored:
        return []
    notes = [
        "Zero-shot score in percent: the unweighted mean over all languages except the source "
        "language. The score of the source language is below it."
    ]
    several: dict[str, tuple[str, ...]] = {}  # column -> languages
    for system, task in product(scored, tasks):
        for result in results_of(system, task):
            if len(result.seen_languages) > 1:
                several.setdefault(task.name, result.seen_languages)
    notes += [
        f"{name}: {', '.join(codes)} are not in the mean, because the task has training rows in "
        "them or a model was trained in them."
        for name, codes in several.items()
    ]
    if any(cell and cell.interval for cells in grid.values() for cell in cells):
        notes.append(
            "Below a score: its 95% interval (bootstrap over rows). It shows how the score would "
            "vary on other rows of the same kind, not after another training."
        )
    every = [result for system in scored for result in system.scores]
    notes += too_few_rows(r for r in every if not r.zero_shot_interval or r.intervals)
    if len(scored) > 1:
        notes.append(f"Differences are in points against {scored[0].name}.")
    if any(cell and cell.models > 1 for cells in grid.values() for cell in cells):
        notes.append("n models: the mean over n models that were all scored on this task.")
    notes += _not_averaged(scored, tasks)
    for i, task in enumerate(tasks):
        here = {name: cell for name, cells in grid.items() if (cell := cells[i]) is not None}
        notes += _warnings(task, here, scored[0].name)
    return notes


def _not_averaged(scored: Sequence[System], tasks: Sequence[TaskColumn]) -> list[str]:
    """Why several columns have no average, or which of them are not in it."""
    if averaged := averaged_tasks(scored, tasks):
        names = [task.name for task in tasks if task not in averaged]
        why = f"Average: without {listed(names)}, on which no system has a zero-shot score."
        return [why] if names else []
    if len(tasks) < 2:
        return []
    if can_be_averaged(tasks):
        return ["No average: no system has a zero-shot score on every task."]
    return [
        "No average: results of one task differ in source, split, metric, or in how embeddings "
        "are made or scored, so they are in separate columns."
    ]


def _warnings(task: TaskColumn, cells: dict[str, Score], first: str) -> list[str]:
    """Warnings on one column: systems that cannot be compared with `first`, or score by chance."""
    warnings = []
    if cells:
        first = first if first in cells else next(iter(cells))
        languages = cells[first].languages
        other = [name for name, cell in cells.items() if cell.languages != languages]
        if other:
            warnings.append(
                f"{task.name}: {listed(other)} scored on other languages than {first}, "
                "so no difference is given."
            )
        rows = cells[first].rows
        other = [
            name
            for name, cell in cells.items()
            if cell.languages == languages and cell.rows != rows
        ]
        if other:
            warnings.append(
                f"{task.name}: {listed(other)} scored on other rows than {first} "
                "(the signatures have their digests), so no difference is given."
            )
        other = [
            name
            for name, cell in cells.items()
            if (cell.languages, cell.rows) == (languages, rows)
            and not comparable(cell, cells[first])
        ]
        if other:
            warnings.append(
                f"{task.name}: {listed(other)} scored in another way than {first} (the signatures "
                "have the choices and versions of metrics), so no difference is given."
            )
    low = [name for name, cell in cells.items() if not cell.beats_chance]
    if low:
        warnings.append(f"{task.name}: {listed(low)} not above chance.")
    return warnings


def _parts(content: Content) -> list[Part]:
    table = main_table(content.systems, content.tasks)
    return [Part(table, label="Zero-shot scores by system and task")]


TABLE = ReportTable(
    "scores",
    order=30,
    title="Zero-shot scores",
    short_title="Scores",
    if_empty="No scores in this run.",
    parts=_parts,
)
