"""A context, answers to choose from, and which is right."""

from __future__ import annotations

import re

from evalsuite.guess.column_names import LABELS
from evalsuite.guess.guessed import Guess, named
from evalsuite.guess.sheet import Sheet
from evalsuite.own.records import Column

_CONTEXT = ("context", "premise", "ctx", "text", "article", "passage")
_CHOICE = re.compile(r"(?:choice|ending|option|answer|alternative)[_ ]?\d")


def recognise(sheet: Sheet) -> Guess | None:
    """Several columns named as choices, or one named so with lists, next to a context."""
    contexts = named(sheet.columns, _CONTEXT)
    choices = tuple(column.key for column in sheet.columns if _CHOICE.fullmatch(column.name))
    listed = named(sheet.columns, ("choices", "options", "endings"))
    labels = [column for column in named(sheet.columns, LABELS) if column.key not in choices]
    if sheet.form != "table" or not contexts or not labels or not (len(choices) > 1 or listed):
        return None
    columns: dict[str, Column | tuple[Column, ...]] = {"context": contexts[0].key}
    if question := named(sheet.columns, ("question",)):
        columns["question"] = question[0].key
    columns |= {"choices": choices or listed[0].key, "label": labels[0].key}
    return Guess("choice", columns)
