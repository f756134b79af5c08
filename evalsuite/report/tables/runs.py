"""The runs of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.report.figures.formatting import NONE
from evalsuite.report.figures.sources import BADGES
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.results.run import ComparedRun


def run_table(runs: Sequence[ComparedRun]) -> Table:
    """One row per run; none for the report of a single run."""
    heads = [Column(text, numeric=False) for text in ("Recipe", "Seed", "Source", "Finished")]
    rows = [
        Row(
            Cell(run.name),
            (
                Cell(run.recipe),
                Cell(str(run.seed)),
                Cell(BADGES[run.source]),
                Cell(run.finished or NONE),
            ),
        )
        for run in runs
    ]
    notes = [f"{run.name}, a search: {run.search}" for run in runs if run.search]
    if notes:
        notes.append("The trials of a search are in the report of the run that made it.")
    return Table("Run", tuple(heads), tuple(rows), tuple(notes))


def _parts(content: Content) -> list[Part]:
    return [Part(run_table(content.run.runs), label="Runs compared")]


TABLE = ReportTable("runs", order=10, title="Runs compared", short_title="Runs", parts=_parts)
