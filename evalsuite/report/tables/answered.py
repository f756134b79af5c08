"""How often each member of a cascade answered, by language."""

from __future__ import annotations

from evalsuite.report.figures.formatting import NONE, percent
from evalsuite.report.figures.names import language_name
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.results.task import TaskResult


def answered_table(result: TaskResult) -> Table:
    """One row per language, one column per member, in percent of the rows."""
    members = list(next(iter(result.answered.values())))
    rows = []
    for code in sorted(result.answered):
        counts, name = result.answered[code], language_name(code)
        cells = tuple(_share(counts[member], result.examples[code]) for member in members)
        rows.append(Row(Cell(name or code, sub=code if name else ""), cells, language=code))
    note = (
        "Percent of the rows that each model of the cascade answered; the first one is asked first."
    )
    return Table("Language", tuple(Column(f"{m}, %") for m in members), tuple(rows), (note,))


def _share(count: int, rows: int) -> Cell:
    return Cell(percent(100 * count / rows) if rows else NONE)


def _parts(content: Content) -> list[Part]:
    return [
        Part(
            answered_table(result),
            label=f"Answers of each model of {result.model.label} on {result.title}",
            heading=f"{result.model.label}: {result.title}",
            fold="open",
            look="languages",
        )
        for result in content.run.scores
        if result.answered
    ]


TABLE = ReportTable("answered", order=85, title="Answered by", short_title="Cascades", parts=_parts)
