"""A question and a context with its answers."""

from __future__ import annotations

from evalsuite.guess.guessed import Guess, named
from evalsuite.guess.sheet import Sheet

NAMES = ("question", "context", "answers")


def recognise(sheet: Sheet) -> Guess | None:
    """SQuAD JSON, or a table whose columns are named so."""
    if sheet.form == "squad":
        return Guess("span", {})
    found = named(sheet.columns, NAMES)
    if sheet.form != "table" or len(found) < len(NAMES):
        return None
    return Guess("span", {name: column.key for name, column in zip(NAMES, found, strict=True)})
