"""What each stage did, and its cost."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.report.figures.formatting import duration, megabytes, three_figures
from evalsuite.report.figures.worked_once import worked_once
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.results.run import StageRecord


def stage_table(stages: Sequence[StageRecord]) -> Table:
    """One row per stage in the order of the run, then the total."""
    heads = (
        Column("Kind", numeric=False),
        Column("Inputs", numeric=False),
        Column("What it did", numeric=False),
        Column("Time"),
        Column("Output", "MB"),
    )
    rows = [
        Row(
            Cell(stage.name),
            (
                Cell(stage.kind),
                Cell(", ".join(stage.inputs)),
                Cell(facts(stage.summary)),
                Cell(duration(stage.seconds)),
                Cell(megabytes(stage.output_bytes)),
            ),
        )
        for stage in stages
    ]
    if len(stages) > 1:
        total = (
            Cell(duration(sum(stage.seconds for stage in stages))),
            Cell(megabytes(sum(stage.output_bytes for stage in stages))),
        )
        rows.append(Row(Cell("total"), (Cell(""), Cell(""), Cell(""), *total), "total"))
    return Table("Stage", heads, tuple(rows))


def facts(summary: dict[str, float | int | str]) -> str:
    """`steps 400 · final loss 1.23`."""
    return " · ".join(f"{name} {_value(value)}" for name, value in summary.items())


def _value(value: float | int | str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    return three_figures(value)


def _parts(content: Content) -> list[Part]:
    return [Part(stage_table(worked_once(content.run)), label="Stages of the run")]


TABLE = ReportTable(
    "stages",
    order=110,
    title="What each stage did and cost",
    short_title="Stages",
    if_empty="No stages are recorded.",
    parts=_parts,
)
