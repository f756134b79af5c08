"""Read a model's label.

>>> parse("teacher[task=xnli,seed=1]")
Label(family='teacher', variables=(('task', 'xnli'), ('seed', '1')))
>>> parse("base").variables
()
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """A family, and the values of the matrix variables that made this variant of it."""

    family: str
    variables: tuple[tuple[str, str], ...] = ()

    def without(self, names: Collection[str]) -> Label:
        """The same label, the variables of these names left out."""
        return Label(self.family, tuple(v for v in self.variables if v[0] not in names))

    def __str__(self) -> str:
        if not self.variables:
            return self.family
        return f"{self.family}[{','.join(f'{name}={value}' for name, value in self.variables)}]"


def parse(text: str) -> Label:
    """Split a label; a text that is not `family[name=value,...]` is a family as a whole."""
    family, bracket, rest = text.partition("[")
    pairs = [part.partition("=") for part in rest.removesuffix("]").split(",")]
    if not (
        family and bracket and rest.endswith("]") and all(name and eq for name, eq, _ in pairs)
    ):
        return Label(text)
    return Label(family, tuple((name.strip(), value.strip()) for name, _, value in pairs))
