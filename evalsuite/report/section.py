"""What a section of the report is made of; a file of `tables/` gives one, or adds to one.

A new table is one new file in `tables/`:

    from evalsuite.report.section import Content, Part, ReportTable
    from evalsuite.report.table import Cell, Column, Row, Table


    def _parts(content: Content) -> list[Part]:
        rows = tuple(
            Row(Cell(system.name), (Cell(str(len(system.models))),)) for system in content.systems
        )
        return [Part(Table("System", (Column("Models"),), rows), label="Models per system")]


    TABLE = ReportTable("models", order=35, title="Models", parts=_parts)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from evalsuite.report.charts.chart import AnyChart
from evalsuite.report.figures.scores import TaskColumn, columns
from evalsuite.report.figures.systems import System, group
from evalsuite.report.table import Table
from evalsuite.results.run import RunRecord


@dataclass(frozen=True, slots=True)
class Content:
    """What every table is made from: a run, its systems, and its tasks."""

    run: RunRecord
    systems: tuple[System, ...]
    tasks: tuple[TaskColumn, ...]

    @classmethod
    def of(cls, run: RunRecord) -> Content:
        """Group the models of a run into systems, and its scores into columns."""
        return cls(run, group(run), columns(run.scores))


@dataclass(frozen=True, slots=True)
class Part:
    """A table or some charts of a section, with the heading above them.

    A part whose table has no rows, and that has no charts, is left out of the report.

    Attributes:
        table: the table, if there is one.
        label: what the table shows, for a screen reader.
        heading: the heading above, if there is one.
        aside: a few lighter words after the heading.
        markdown_line: what stands above the table in Markdown; None for the heading.
        lead: a sentence between the heading and the table.
        remark: a sentence below the table.
        fold: whether a reader can fold the part, and how it is at first.
        look: a class of the style sheet for the table.
        charts: what is drawn, below the table.
        in_markdown: whether Markdown describes the charts in words.
        small: whether the charts are drawn small, several in a row.
        below: further parts under the same heading.
    """

    table: Table | None = None
    label: str = ""
    heading: str = ""
    aside: str = ""
    markdown_line: str | None = None
    lead: str = ""
    remark: str = ""
    fold: Literal["", "open", "closed"] = ""
    look: str = ""
    charts: tuple[AnyChart, ...] = ()
    in_markdown: bool = True
    small: bool = False
    below: tuple[Part, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.table and self.table.rows) and not self.charts


@dataclass(frozen=True, slots=True)
class ReportTable:
    """What a file of `tables/` defines as `TABLE`.

    Attributes:
        section: name of the section, which is its address in the page too. Files with the same
            name share a section; the first of them, by `order`, gives its title and texts.
        order: where it stands: files of the report are sorted by this number, then by name.
        parts: makes the tables and charts.
        title: heading of the section.
        short_title: the section in the list at the head of the page; the title if empty.
        introduction: a sentence below the heading of the page, where the section has parts.
        if_empty: the sentence of a section without parts; if empty, there is no such section.
    """

    section: str
    order: int
    parts: Callable[[Content], Sequence[Part]]
    title: str = ""
    short_title: str = ""
    introduction: str = ""
    if_empty: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section as the templates print it: texts as in `ReportTable`, and parts with content."""

    name: str
    title: str
    short_title: str
    introduction: str
    if_empty: str
    parts: tuple[Part, ...]


def make_sections(tables: Sequence[ReportTable], content: Content) -> Iterator[Section]:
    """The sections of a report in their order; those with nothing to say are left out."""
    by_section: dict[str, list[ReportTable]] = {}
    for table in sorted(tables, key=lambda table: table.order):
        by_section.setdefault(table.section, []).append(table)
    for name, members in by_section.items():
        parts = [part for table in members for part in table.parts(content) if not part.is_empty]
        first = members[0]
        if parts or first.if_empty:
            yield Section(
                name,
                first.title,
                first.short_title or first.title,
                first.introduction,
                first.if_empty,
                tuple(parts),
            )
