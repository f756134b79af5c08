"""Scores of the sizes of elastic students, by language: curves against size, and their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor

from evalsuite.languages import same_language
from evalsuite.report.charts.chart import SizeChart, SizeLine
from evalsuite.report.figures.formatting import listed, number, percent
from evalsuite.report.figures.names import language_and_code, language_name, metric_name
from evalsuite.report.figures.scores import TaskColumn, language_means, results_of, score
from evalsuite.report.figures.size_curves import SizeCurve, megabytes, size_curves
from evalsuite.report.figures.systems import System
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table

MOST = 8  # lines and other models in a chart, as many as there are markers


def _by_language(system: System, task: TaskColumn) -> dict[str, float]:
    """Means over the system's models."""
    return language_means(results_of(system, task), task.metric)


def _line(name: str, systems: Sequence[System], task: TaskColumn, *, joined: bool) -> SizeLine:
    return SizeLine(
        name,
        tuple(system.name for system in systems),
        tuple(megabytes(system) for system in systems),
        tuple(_by_language(system, task) for system in systems),
        joined,
    )


def size_chart(curve: SizeCurve, others: Sequence[System], task: TaskColumn) -> SizeChart:
    """A small plot per language: the sizes of a student joined by a line, other models alone.

    Args:
        others: models that were scored on the task, in the same runtime and precision; the first
            of them are drawn.
    """
    having = [system for system in curve.systems if results_of(system, task)]
    lines = [_line(curve.student, having, task, joined=True)]
    lines += [_line(other.name, [other], task, joined=False) for other in others[: MOST - 1]]
    codes = _languages(having, task)
    ends = [value for line in lines for scores in line.scores for value in scores.values()]
    low = 10.0 * floor(min(ends) / 10)
    return SizeChart(
        title=f"{task.name} against size, by language",
        y_label=f"{metric_name(task.metric)} (%)",
        languages=codes,
        names={code: language_name(code) or code for code in codes},
        lines=tuple(lines),
        span=(low, max(10.0 * ceil(max(ends) / 10), low + 10)),
    )


def _languages(systems: Sequence[System], task: TaskColumn) -> tuple[str, ...]:
    """The source language, then the others in the order of their scores at the largest size."""
    largest = _by_language(systems[-1], task)
    first = _source(systems[-1], task)
    return tuple(sorted(largest, key=lambda code: (code not in first, -largest[code])))


def _source(system: System, task: TaskColumn) -> list[str]:
    """The source language, or its regions where it has no scores."""
    source = results_of(system, task)[0].source_language
    return same_language(source, _by_language(system, task))


def size_table(curve: SizeCurve, task: TaskColumn) -> Table:
    """A row per language, and the zero-shot mean; a column per size, the largest first."""
    having = [system for system in reversed(curve.systems) if results_of(system, task)]
    heads = tuple(Column(system.name, f"{number(megabytes(system))} MB") for system in having)
    by_system = [_by_language(system, task) for system in having]
    source = _source(having[0], task)
    rows = [
        Row(
            Cell(language_and_code(code)),
            tuple(Cell(percent(scores.get(code))) for scores in by_system),
            "source" if code in source else "",
            language=code,
        )
        for code in _languages(having[::-1], task)
    ]
    cells = [score(system, task) for system in having]
    means = tuple(Cell(percent(cell.mean if cell else None)) for cell in cells)
    return Table("Language", heads, (*rows, Row(Cell("Zero-shot mean"), means, "mean")))


def _not_drawn(others: Sequence[System]) -> str:
    """Which models the chart has no marker for; empty where it has all."""
    names = [system.name for system in others[MOST - 1 :]]
    drawn = f"The chart shows at most {MOST - 1} other models."
    return f"{drawn} The tables of scores have the rest: {listed(names)}." if names else ""


def _parts(content: Content) -> Iterator[Part]:
    curves = size_curves(content.run, content.systems)
    for curve in curves:
        own = {system.name for member in curves for system in member.systems}
        others = [
            system
            for system in content.systems
            if system.opened_in == curve.opened_in and system.name not in own
        ]
        for task in content.tasks:
            having = [system for system in curve.systems if results_of(system, task)]
            if len(having) < 2:
                continue
            table = Part(
                size_table(curve, task),
                label=f"{task.name} by language and size of {curve.student}, {curve.opened_in}",
            )
            alone = [system for system in others if results_of(system, task)]
            yield Part(
                heading=f"{task.name}: {curve.student}",
                aside=curve.opened_in,
                charts=(size_chart(curve, alone, task),),
                in_markdown=False,
                remark=_not_drawn(alone),
                below=(table,),
            )


TABLE = ReportTable(
    "elastic",
    order=52,
    title="Sizes of elastic students",
    short_title="Elastic",
    introduction="One training, cut to several sizes. Joined: the sizes of the student. Alone: "
    "other models in the same runtime and precision.",
    parts=lambda content: list(_parts(content)),
)
