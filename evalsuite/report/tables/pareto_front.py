"""Pareto charts: scores against size and against throughput."""

from __future__ import annotations

from itertools import groupby

from evalsuite.report.charts.pareto_charts import charts
from evalsuite.report.section import Content, Part, ReportTable


def _parts(content: Content) -> list[Part]:
    """The large charts of the average, then a part per group of small charts."""
    groups = groupby(charts(content.systems, content.tasks), key=lambda chart: chart.group)
    return [
        Part(charts=tuple(members), heading=name, markdown_line="", small=bool(name))
        for name, members in groups
    ]


TABLE = ReportTable(
    "pareto",
    order=70,
    title="Pareto front",
    introduction="Joined by a line and in bold: systems that no other system beats on both axes. "
    "Up is better. Left is better for size, and right for throughput.",
    parts=_parts,
)
