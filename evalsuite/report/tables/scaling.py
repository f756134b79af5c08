"""Scores against the number of parameters, with the line fitted through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import log10

from evalsuite.report.charts.chart import Chart, Point
from evalsuite.report.charts.pareto_charts import short_names
from evalsuite.report.figures.formatting import NONE, between, listed, millions, percent, points
from evalsuite.report.figures.scaling import AVERAGE, Fit, Scaling, parameters, scalings
from evalsuite.report.figures.systems import System
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table


def scaling_table(scaling: Scaling) -> Table:
    """One row per system, the smallest first, then points per tenfold parameters."""
    heads = [
        Column("Parameters", "M"),
        Column("Without embeddings", "M"),
        *(Column(name, "zero-shot, %") for name in scaling.scores),
    ]
    rows = []
    for i, system in enumerate(scaling.systems):
        sizes = [Cell(millions(parameters(system, embeddings=e))) for e in (True, False)]
        scores = [Cell(percent(values[i])) for values in scaling.scores.values()]
        rows.append(Row(Cell(system.name), (*sizes, *scores)))
    for text, embeddings in (("all", True), ("without embeddings", False)):
        fits = [scaling.fit(column, embeddings=embeddings) for column in scaling.scores]
        if any(fits):
            head = Cell("points per tenfold parameters", sub=text)
            rows.append(Row(head, (Cell(""), Cell(""), *(_slope(line) for line in fits)), "mean"))
    return Table("System", tuple(heads), tuple(rows), tuple(_notes(scaling)))


def scaling_chart(scaling: Scaling, everyone: Sequence[System]) -> Chart:
    """The average against parameters, or the first task that has a line, and the line.

    Args:
        everyone: all systems of the report, so that each looks the same in all charts.
    """
    column = next(name for name in reversed(scaling.scores) if scaling.fit(name))
    line = scaling.fit(column)
    assert line is not None
    order = {system.name: i for i, system in enumerate(everyone)}
    labels = dict(zip(order, short_names(list(order)), strict=True))
    drawn = tuple(
        Point(system.name, labels[system.name], parameters(system) / 1e6, score, order[system.name])
        for system, score in zip(scaling.systems, scaling.scores[column], strict=True)
        if score is not None and parameters(system) > 0
    )
    ends = min(p.x for p in drawn), max(p.x for p in drawn)
    low, high = ((x, line.intercept + line.slope * log10(x * 1e6)) for x in ends)
    chart = Chart(
        title=f"{column} against parameters",
        caption=f"Dashed line: {slope_in_words(line)}.",
        x_label="Parameters (M, embeddings included, log scale)",
        y_label=f"Zero-shot {column if column != AVERAGE else 'average'} (%)",
        points=drawn,
        front=(),
        line=(low, high),
    )
    return replace(chart, caption=f"{chart.caption} {chart.not_labelled}".strip())


def slope_in_words(line: Fit) -> str:
    """A slope in words."""
    interval = between((line.low, line.high))
    return f"{points(line.slope)} points per tenfold parameters (95% interval {interval})"


def _slope(line: Fit | None) -> Cell:
    if line is None:
        return Cell(NONE)
    return Cell(points(line.slope), sub=f"{between((line.low, line.high))}, n {line.count}")


def _notes(scaling: Scaling) -> list[str]:
    notes = [
        "Least squares of the zero-shot score on log10 parameters. Below a slope: its 95% "
        "interval (Student's t, n−2 degrees of freedom) and the number of systems. The systems "
        "differ in more than their size, which the line does not take into account."
    ]
    absent = [name for name in scaling.scores if scaling.fit(name) is None]
    if absent:
        notes.append(
            f"No line for {listed(absent)}: scores at fewer than three sizes that differ by 5%."
        )
    return notes


def _parts(content: Content) -> list[Part]:
    return [
        Part(
            scaling_table(scaling),
            label=f"Scores against parameters, {scaling.opened_in}",
            heading=scaling.opened_in,
            charts=(scaling_chart(scaling, content.systems),),
        )
        for scaling in scalings(content.systems, content.tasks)
    ]


TABLE = ReportTable(
    "scaling", order=50, title="Score against size", short_title="Scaling", parts=_parts
)
