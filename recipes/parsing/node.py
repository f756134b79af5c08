"""A value of a recipe, and the place where it was written.

>>> stage = Node({"layers": Node(3, "r.yaml:7")}, "r.yaml:6")
>>> stage["layers"].where, stage.plain()
('r.yaml:7', {'layers': 3})
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Scalar = str | int | float | bool | None


@dataclass(slots=True)
class Node:
    """A value and where it was written: `file:line`, or the `--set` that made it.

    Attributes:
        written: text of a scalar in the file, without quotation marks: `True`, `01`.
    """

    value: Scalar | dict[str, Node] | list[Node]
    where: str
    written: str | None = field(default=None, compare=False)

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def as_text(self) -> Node:
        """The same with each scalar as the text that was written, whatever YAML reads it as."""
        if isinstance(self.value, dict):
            return Node({key: node.as_text() for key, node in self.value.items()}, self.where)
        if isinstance(self.value, list):
            return Node([node.as_text() for node in self.value], self.where)
        return self if self.written is None else Node(self.written, self.where, self.written)

    def __getitem__(self, key: str) -> Node:
        assert isinstance(self.value, dict)
        return self.value[key]

    def get(self, key: str) -> Node | None:
        """The entry of a mapping, or None."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def scalars(self) -> Iterator[Node]:
        """All scalars in it, in order."""
        if isinstance(self.value, dict | list):
            items = self.value.values() if isinstance(self.value, dict) else self.value
            for item in items:
                yield from item.scalars()
        else:
            yield self

    def locate(self, path: Sequence[str | int]) -> tuple[str, str]:
        """Place of the deepest value along a path, and the path as far as it goes: `a.b[2]`."""
        node, text = self, ""
        for step in path:
            if isinstance(node.value, dict) and step in node.value:
                node, text = node.value[str(step)], f"{text}.{step}" if text else str(step)
            elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
                node, text = node.value[step], f"{text}[{step + 1}]"
            else:
                break
        return node.where, text


def entries_of(node: Node | None) -> dict[str, Node]:
    """The entries of a mapping; none where there is no mapping."""
    return node.value if node is not None and isinstance(node.value, dict) else {}


def items_of(node: Node | None) -> list[Node]:
    """The items of a list; none where there is no list."""
    return node.value if node is not None and isinstance(node.value, list) else []


def name_of(stage: Node) -> str | None:
    """The `name` of a stage, if it has one that is a text."""
    name = stage.get("name")
    return name.value if name is not None and isinstance(name.value, str) else None
