"""Where rows that were written to other files came from, so that messages name the person's file.

>>> origins = Origins()
>>> origins.add(Path("all-data/en/train.csv"), Path("all.csv"), rows)
>>> origins.of(MalformedRowError("all-data/en/train.csv", 12, "no label"))
MalformedRowError('all.csv:13: no label')
"""

from __future__ import annotations

from bisect import bisect
from pathlib import Path

from evalsuite.errors import DataError, MalformedRowError
from evalsuite.guess.rows import Place, Rows


class Origins:
    """Written file -> the file it came from, and the lines of its rows in both."""

    def __init__(self) -> None:
        self._rows: dict[Path, tuple[Path, list[int], list[int]]] = {}

    def add(self, written: Place, source: Place, rows: Rows) -> None:
        """Remember where some rows were read, and where they were written."""
        if isinstance(written, dict) and isinstance(source, dict):
            for part, path in written.items():
                self.add(path, source[part], rows)
        elif isinstance(written, Path) and isinstance(source, Path):
            self._rows[written] = (source, rows.written_lines(), rows.lines)

    def of(self, error: DataError) -> DataError:
        """The same error with file and line as they were before; unchanged for other files."""
        if not isinstance(error, MalformedRowError) or Path(error.path) not in self._rows:
            return error
        source, written, read = self._rows[Path(error.path)]
        row = bisect(written, error.line) - 1
        line = read[row] + error.line - written[row] if row >= 0 else 1
        return MalformedRowError(source, line, error.problem)
