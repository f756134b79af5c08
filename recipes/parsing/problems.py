"""All that is wrong with a recipe, collected and then said at once.

>>> problems = Problems("r.yaml")
>>> problems.add("r.yaml:5", "unknown stage kind 'distil'" + suggest("distil", ["distill"]))
>>> problems.raise_if_any()
Traceback (most recent call last):
recipes.errors.RecipeError: r.yaml: 1 problem
  r.yaml:5: unknown stage kind 'distil'; did you mean 'distill'?
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from recipes.errors import RecipeError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from recipes.parsing.node import Node


_LONGEST = 1_000  # characters of one line of a message


_UNKNOWN_TASK = re.compile(r"unknown task '([^']+)'")


class Problems:
    """A list of `where: what`; the same problem is kept once."""

    def __init__(self, recipe: str) -> None:
        self.recipe = recipe
        self.lines: list[str] = []
        self.faulty_tasks: set[str] = set()  # declared, and not known because of another problem
        self.notes: list[str] = []  # what is no problem yet, such as an old name of a key

    def __bool__(self) -> bool:
        return bool(self.lines)

    def add(self, where: str, what: str) -> None:
        """Note a problem; continuation lines of `what` are indented under it.

        That a task is unknown is no problem where its declaration is one already.
        """
        if (unknown := _UNKNOWN_TASK.search(what)) and unknown[1] in self.faulty_tasks:
            return
        lines = f"{where}: {what}".splitlines()
        line = "\n    ".join(shortened(line, _LONGEST) for line in lines)
        if line not in self.lines:
            self.lines.append(line)

    def note(self, where: str, what: str) -> None:
        """Keep a remark that does not stop the recipe; the same remark is kept once."""
        note = f"{where}: {what}"
        if note not in self.notes:
            self.notes.append(note)

    def shown_notes(self) -> list[str]:
        """The remarks, one line each, as commands print them."""
        return [f"note: {note}" for note in self.notes]

    def raise_if_any(self) -> None:
        """Raise `RecipeError` with every problem, if there is one."""
        if self.lines:
            count = f"{len(self.lines)} problem" + ("s" if len(self.lines) > 1 else "")
            raise RecipeError("\n  ".join([f"{self.recipe}: {count}", *self.lines]))

    def add_pydantic(
        self, errors: Iterable[ErrorDetails], node: Node, prefix: str, keys: Iterable[str]
    ) -> None:
        """Note errors of a validation, each at the line of the value it is about."""
        keys = sorted(keys)
        for item in errors:
            where, path = node.locate(item["loc"])
            self.add(where, prefix + _say(item, path, keys))


def _say(item: Any, path: str, keys: list[str]) -> str:
    kind, wrong, context = item["type"], item["input"], item.get("ctx", {})
    if kind == "extra_forbidden":
        key = str(item["loc"][-1])
        if len(item["loc"]) > 1:
            return f"unknown key {path!r}"
        return f"unknown key {key!r}{suggest(key, keys)}\nallowed: {', '.join(keys)}"
    if kind == "missing":
        return f"the key {'.'.join(map(str, item['loc']))!r} is missing"
    if kind == "literal_error":
        allowed = str(context.get("expected", ""))
        near = suggest(wrong, allowed.replace(" or ", ", ").replace("'", "").split(", "))
        return f"{path}: {wrong!r} is not allowed{near}\nallowed: {allowed}"
    message = str(item["msg"]).removeprefix("Value error, ")
    if kind == "value_error" and not path:
        return message
    if kind == "value_error":
        return f"{path}: {message}"
    message = message[:1].lower() + message[1:]
    wrong = shortened(repr(wrong), 60)
    return f"{path}: wrong value {wrong}: {message}" if path else message


def shortened(text: str, most: int) -> str:
    """A text as it is, or its start where it is longer than `most` characters.

    >>> shortened("abcdefgh", 7)
    'abcd...'
    """
    return text if len(text) <= most else text[: most - 3] + "..."


def nearest(name: object, known: Iterable[str]) -> str | None:
    """The known name that one looks like a misspelling of; None where none is near."""
    import difflib

    near = difflib.get_close_matches(str(name), list(known), n=1)
    return near[0] if near else None


def suggest(name: object, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` where a known name is near, else an empty string."""
    near = nearest(name, known)
    return f"; did you mean {near!r}?" if near else ""
