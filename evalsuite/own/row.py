"""One row of a declared task's table, by the parts that its format gives it.

>>> row = Row(Path("train.csv"), 2, {"text": "It rains.", "label": "weather"})
>>> row.text("text"), row.error("no label")
('It rains.', MalformedRowError('train.csv:2: no label'))
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evalsuite.errors import MalformedRowError
from evalsuite.own.records import Column


def _as_written(label: str) -> str:
    return label


@dataclass(frozen=True, slots=True)
class Row:
    """A row, and where it is.

    Attributes:
        path: the file that messages name.
        line: where it begins in its file, from 1.
        parts: role -> text; a role that the file has no column of is not there.
        lists: role -> column -> text, of roles that have several columns.
        spelling: from what a file writes to the name of a label.
        named: what the recipe's `labels` say the name of.
    """

    path: Path
    line: int
    parts: Mapping[str, str]
    lists: Mapping[str, Mapping[Column, str]] = field(default_factory=dict)
    spelling: Callable[[str], str] = _as_written
    named: Container[str] = ()

    def text(self, role: str) -> str:
        """A part that may not be empty.

        Raises:
            MalformedRowError: it is.
        """
        text = self.parts[role]
        if not text.strip():
            raise self.error(f"an empty text ({role})")
        return text

    def error(self, problem: str) -> MalformedRowError:
        """The error to raise, which names file and line."""
        return MalformedRowError(self.path, self.line, problem)
