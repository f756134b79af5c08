"""The shape every table of the report has, whether it becomes HTML or Markdown.

All texts are plain; the templates escape them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

RowKind = Literal["", "source", "best", "mean", "aside", "total"]


@dataclass(frozen=True, slots=True)
class Cell:
    """`text`, a difference next to it, a lighter second line, and a shade from 0 to 9."""

    text: str
    delta: str = ""
    sub: str = ""
    shade: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """A column's head; numbers are set to the right."""

    text: str
    sub: str = ""
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its head and its cells, one per column; `language` where it is about a single one."""

    head: Cell
    cells: tuple[Cell, ...]
    kind: RowKind = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `corner` is the head of the first column, `notes` are printed below."""

    corner: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """As a GitHub table, notes below as a list."""
        heads = [self.corner, *(_joined(c.text, "", c.sub) for c in self.columns)]
        rules = ["---", *("---:" if c.numeric else "---" for c in self.columns)]
        lines = [_line(heads), f"| {' | '.join(rules)} |"]
        for row in self.rows:
            lines.append(_line([_joined(c.text, c.delta, c.sub) for c in (row.head, *row.cells)]))
        return "\n".join([*lines, *_note_lines(self.notes)])


def _note_lines(notes: tuple[str, ...]) -> Iterator[str]:
    if notes:
        yield ""
    for note in notes:
        yield f"- {escaped(note)}"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(escaped(cell) for cell in cells)} |"


def _joined(text: str, delta: str, sub: str) -> str:
    extra = "; ".join(part for part in (delta, sub) if part)
    return f"{text} ({extra})" if extra else text


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    for character in "\\|*_`[]":
        text = text.replace(character, "\\" + character)
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").split())
