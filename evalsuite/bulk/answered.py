"""Rows with their answers, as they are written: the input's columns, then the answer's.

>>> Merger()(usable, [{"label": "news", "scores": {"news": 0.9, "sport": 0.1}}])
[Answered(2, {'id': '7', 'text': 'It rains.'}, {'label': 'news', 'scores': {...}})]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.bulk.rows import BadRow
from evalsuite.bulk.windows import Usable

PREFIX = "predicted_"


@dataclass(frozen=True, slots=True)
class Answered:
    """A row and its answer; both are columns of what is written."""

    line: int
    fields: dict[str, Any]
    answer: dict[str, Any]


class Merger:
    """Names the columns of answers: where the input has one of their names, all get a prefix.

    The first rows decide.

    Args:
        table: whether answers are written in columns, as `flat` gives them.
    """

    def __init__(self, table: bool = False) -> None:
        self._prefix: str | None = None
        self._written = flat if table else dict

    def __call__(
        self, window: Sequence[Usable | BadRow], answers: Sequence[dict[str, Any]]
    ) -> list[Answered | BadRow]:
        """The window with its answers, one per usable row; bad rows stay where they are."""
        if self._prefix is None and answers:
            there = {name for row in window if isinstance(row, Usable) for name in row.fields}
            self._prefix = PREFIX if there & set(self._written(answers[0])) else ""
        return list(self._merged(window, iter(answers)))

    def _merged(
        self, window: Sequence[Usable | BadRow], answers: Iterator[dict[str, Any]]
    ) -> Iterator[Answered | BadRow]:
        for row in window:
            if isinstance(row, BadRow):
                yield row
                continue
            answer = {f"{self._prefix}{name}": value for name, value in next(answers).items()}
            if both := [name for name in self._written(answer) if name in row.fields]:
                yield BadRow(row.line, f"it has a column {both[0]!r}, which the answer is called")
            else:
                yield Answered(row.line, row.fields, answer)


def flat(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer for a table: of one label its probability alone.

    >>> flat({"label": "news", "scores": {"news": 0.9, "sport": 0.1}})
    {'label': 'news', 'score': 0.9}
    """
    for prefix in ("", PREFIX):
        said, scores = answer.get(f"{prefix}label"), answer.get(f"{prefix}scores")
        if said is None:
            said = answer.get(f"{prefix}choice")
        if said is not None and scores is not None:
            rest = {name: value for name, value in answer.items() if name != f"{prefix}scores"}
            return {**rest, f"{prefix}score": scores[said]}
    return answer
