"""Questions with answers to choose from: what COPA, Cosmos QA and similar tasks share.

>>> TASK.load(DataSource("xtreme", Path("data")), "dev", "en")[0].choices
('ran all over.', 'eventually falls asleep.', 'starts to play.', 'begins to pose.')
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from evalsuite.data import files
from evalsuite.data.hub import Row
from evalsuite.data.sourced import EnglishTask
from evalsuite.errors import MalformedRowError
from evalsuite.task import CHOICE, ChoiceExample, Example, Format, Split


class ChoiceTask(EnglishTask):
    """English questions of as many choices each. `row` says in a message what a row is."""

    format: Format = "choice"
    labels: tuple[str, ...] = CHOICE
    metric: str = "accuracy"
    row: ClassVar[str]

    @abstractmethod
    def example(self, row: Row, id: str) -> ChoiceExample:
        """One row, of a file or of the hub; raises KeyError, TypeError or ValueError."""

    def rows(self, paths: Sequence[Path], split: Split) -> Iterable[tuple[int, Any]]:
        """`(line, row)` of a split's files; JSON lines by default."""
        return files.objects(paths[0], self.what(split, "en"), self.layout)

    def read(self, paths: Sequence[Path], split: Split, language: str) -> list[Example]:
        return [*parsed(paths[0], self.rows(paths, split), self.example, split, language, self.row)]

    def from_row(self, row: Row, id: str) -> Example:
        return self.example(row, id)


def parsed(
    path: Path,
    rows: Iterable[tuple[int, Any]],
    make: Callable[[Any, str], ChoiceExample],
    split: Split,
    language: str,
    shape: str,
) -> list[ChoiceExample]:
    """What `make` makes of the rows of a file, numbered from 0.

    Args:
        shape: what a row is, for the message.

    Raises:
        MalformedRowError: `make` raised KeyError, TypeError or ValueError.
    """
    found: list[ChoiceExample] = []
    for line, row in rows:
        try:
            found.append(make(row, f"{split}-{language}-{len(found)}"))
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedRowError(
                path, line, f"a row is {shape}; {type(error).__name__}: {error}"
            ) from None
    return found


def text(row: Any, key: str | int, *, blank: bool = False) -> str:
    """A field of a row; raises KeyError or TypeError where it is absent, no text, or blank and may
    not be (answers to choose from may)."""
    value = row[key]
    if not isinstance(value, str) or not (blank or value.strip()):
        raise TypeError(f"{key} is no text")
    return value


def number(value: Any, count: int, first: int = 0) -> int | None:
    """Index of a choice, given as a number (or its digits) from `first`; None where it is hidden
    (empty, or -1); raises ValueError where it is none of `count`."""
    if value in ("", None, -1, "-1"):
        return None
    index = int(value) - first
    if not 0 <= index < count:
        raise ValueError(f"label {value!r} is none of {first} to {first + count - 1}")
    return index
