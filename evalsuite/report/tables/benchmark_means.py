"""Scores by the rules of XTREME and XTREME-R: all languages of a task, English included.

The main table is about transfer, so its means are without English and without the languages that
the source lacks. The benchmarks count otherwise. This table has every system with a complete task.
"""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.errors import UnknownNameError
from evalsuite.registry import TASKS
from evalsuite.report.figures.formatting import percent
from evalsuite.report.figures.systems import System
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.results.task import TaskResult
from evalsuite.submission.benchmark_means import BENCHMARKS, Benchmark


def benchmark_tables(systems: Sequence[System]) -> tuple[Table, ...]:
    """One table per benchmark of which a system has a complete task."""
    tables = (_table(systems, benchmark) for benchmark in BENCHMARKS.values())
    return tuple(table for table in tables if table.rows)


def _table(systems: Sequence[System], benchmark: Benchmark) -> Table:
    scores = {system.name: benchmark_scores(system, benchmark) for system in systems}
    scores = {name: by_task for name, by_task in scores.items() if by_task}
    names = [name for name in benchmark.tasks if any(name in s for s in scores.values())]
    heads = [Column(TASKS.get(name).title) for name in names]
    heads += [Column(group, "group") for group in benchmark.groups]
    rows = []
    for system, by_task in scores.items():
        means = [benchmark.mean(by_task, group) for group in benchmark.groups]
        cells = [*(by_task.get(name) for name in names), *means, benchmark.mean(by_task)]
        rows.append(Row(Cell(system), tuple(Cell(percent(value)) for value in cells)))
    note = (
        f"By the rules of {benchmark.title}: the score of a task is the mean over all its "
        "languages, English included (for questions, of exact match and F1), on all rows of its "
        "test split. A task has no score if a language is missing; a group, and the overall "
        "score, have none if a task is missing."
    )
    return Table(benchmark.title, (*heads, Column("overall")), tuple(rows), (note,))


def benchmark_scores(system: System, benchmark: Benchmark) -> dict[str, float]:
    """Task -> score, for tasks that one model was scored on completely, on one set of rows."""
    by_task: dict[str, float] = {}
    for name, member in benchmark.tasks.items():
        scores = [
            score
            for result in system.scores
            if result.task == name and is_whole(result)
            if (score := member.score(result.metrics)) is not None
        ]
        if len(scores) == 1:
            by_task[name] = scores[0]
    return by_task


def is_whole(result: TaskResult) -> bool:
    """Whether all rows of the benchmark were scored, and no others."""
    try:
        split = TASKS.get(result.task).eval_splits[0]
    except UnknownNameError:
        return False
    cut = result.max_examples is not None and result.max_examples in result.examples.values()
    return result.source != "embedded" and result.split == split and not cut


def _parts(content: Content) -> list[Part]:
    return [
        Part(
            table,
            label=f"Scores by the rules of {table.corner}",
            heading=table.corner,
            markdown_line="",
        )
        for table in benchmark_tables(content.systems)
    ]


TABLE = ReportTable("scores", order=31, parts=_parts)
