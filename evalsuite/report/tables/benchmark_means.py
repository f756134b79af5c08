"""Scores as the benchmarks count them: English included, every language there, or nothing.

The main table is about transfer, so English is left out of its means, and languages a source lacks
are left out too. XTREME's and XTREME-R's own figures are other ones; they stand here for every
system that has a whole task.
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
    """One a benchmark of which a system has a whole task."""
    found = (_table(systems, benchmark) for benchmark in BENCHMARKS.values())
    return tuple(table for table in found if table.rows)


def _table(systems: Sequence[System], benchmark: Benchmark) -> Table:
    scores = {system.name: benchmark_scores(system, benchmark) for system in systems}
    scores = {name: own for name, own in scores.items() if own}
    names = [name for name in benchmark.tasks if any(name in own for own in scores.values())]
    heads = [Column(TASKS.get(name).title) for name in names]
    heads += [Column(group, "group") for group in benchmark.groups]
    rows = []
    for system, own in scores.items():
        means = [benchmark.mean(own, group) for group in benchmark.groups]
        cells = [*(own.get(name) for name in names), *means, benchmark.mean(own)]
        rows.append(Row(Cell(system), tuple(Cell(percent(value)) for value in cells)))
    note = (
        f"As {benchmark.title} counts: each task is the mean over all its languages, English "
        "included (of exact match and F1 for questions), on all rows of its test split. A task "
        "with a language missing has no score; nor has a group, or the whole, with a task missing."
    )
    return Table(benchmark.title, (*heads, Column("overall")), tuple(rows), (note,))


def benchmark_scores(system: System, benchmark: Benchmark) -> dict[str, float]:
    """Task -> score, of the tasks scored whole by one model and on one set of rows."""
    found: dict[str, float] = {}
    for name, member in benchmark.tasks.items():
        scores = [
            score
            for result in system.scores
            if result.task == name and is_whole(result)
            if (score := member.score(result.metrics)) is not None
        ]
        if len(scores) == 1:
            found[name] = scores[0]
    return found


def is_whole(result: TaskResult) -> bool:
    """Whether the benchmark's own rows were scored, all of them."""
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
            label=f"Scores as {table.corner} counts them",
            heading=table.corner,
            markdown_line="",
        )
        for table in benchmark_tables(content.systems)
    ]


TABLE = ReportTable("scores", order=31, parts=_parts)
