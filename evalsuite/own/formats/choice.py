"""A context and answers to choose from, a question about it where there is one; which is right.

The right choice is named by its number from 0, by its column, or by its text. `labels` maps what
files write otherwise: `labels: {A: 0, B: 1}`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from evalsuite.own.formats import _label
from evalsuite.own.row import Row
from evalsuite.task import CHOICE, ChoiceExample

FORMAT, METRIC = "choice", "accuracy"
ROLES = (
    {"context": "context", "choices": "choices", "label": "label"},
    {"context": "context", "question": "question", "choices": "choices", "label": "label"},
)
GOLD, LISTS = ("label",), ("choices",)
NOUN = "a context, a question where there is one, choices, and which of them is right"
FIXED = CHOICE  # what its models give
SPELLED = True  # `labels` may say what files write


def example(row: Row, id: str, labels: Sequence[str]) -> ChoiceExample:
    """The texts, and the number of the right choice where the file tells."""
    question = row.text("question") if "question" in row.parts else ""
    names, choices = _choices(row)
    label = _right(row, names, choices)
    return ChoiceExample(id, row.text("context"), question, choices, label)


def _choices(row: Row) -> tuple[list[str], tuple[str, ...]]:
    """Names of their columns, where each has one, and the texts.

    Raises:
        MalformedRowError: fewer than two, or one is empty.
    """
    if columns := row.lists.get("choices"):
        names, choices = [str(name) for name in columns], list(columns.values())
    else:
        written = row.parts["choices"]
        try:
            found = json.loads(written)
        except ValueError:
            found = None
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise row.error(f"choices: {written[:60]!r} is not a list of texts")
        names, choices = [], found
    if len(choices) < 2:
        raise row.error(f"{len(choices)} choice(s); two or more are needed")
    for number, choice in enumerate(choices):
        if not choice.strip():
            raise row.error(f"choice {number} is empty")
    return names, tuple(choices)


def _right(row: Row, names: Sequence[str], choices: Sequence[str]) -> int | None:
    if (label := _label.of(row)) is None:
        return None
    if label.isdecimal() and int(label) < len(choices):
        return _number(row, label, choices)
    for known in (names, choices):
        if list(known).count(label) == 1:
            return list(known).index(label)
    allowed = ", ".join([f"0 to {len(choices) - 1}", *names])
    counted = "; are they counted from 1? labels: {1: 0, 2: 1}" if label.isdecimal() else ""
    raise row.error(f"label {label!r} is none of the choices ({allowed}){counted}")


def _number(row: Row, label: str, choices: Sequence[str]) -> int:
    """The number that a label is.

    Raises:
        MalformedRowError: it is the text of another choice too, and the recipe does not decide.
    """
    number = int(label)
    same = [place for place, choice in enumerate(choices) if choice == label]
    if len(same) != 1 or same == [number] or row.parts["label"].strip() in row.named:
        return number
    raise row.error(
        f"label {label!r} may be choice {number}, which is {choices[number][:60]!r}, or choice "
        f"{same[0]}, whose text it is; give each choice a column and write the column's name, or "
        "say which number each label is, from 0: "
        f"labels: {{{label}: {number}}} or labels: {{{label}: {same[0]}}}"
    )
