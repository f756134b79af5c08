"""What `search:` in a recipe says, and the assignments its knobs span.

```yaml
search:
  trials: 8                   # at most; each assignment is made once
  budget: {MB: 20}            # or {ms: 2.0}, median latency; or {points: 1.0} below the reference
  reference: teacher          # default: the first other model that is scored
  candidate: int8             # the stage whose model is judged
  knobs: {layers: [2, 3], width: [192, 384]}
```

A knob is a variable as those of the matrix are: a value is a scalar, or a mapping with `name`, and
stages mention it as `${layers}`. Each trial gives every knob one value.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from evalsuite.results.search import BudgetKind
from recipes.parsing.node import Node, Scalar

Assignment = dict[str, str]  # variable -> name of its value


class SearchConfig(BaseModel):
    """`search:` of a recipe."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    trials: int = Field(
        ge=1, description="Number of trials, at most; each combination of values is tried once."
    )
    parallel: int = Field(
        default=1,
        ge=1,
        description="Trials made at the same time, on a cluster or by --jobs; each choice then "
        "knows fewer results.",
    )
    budget: dict[BudgetKind, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        description="One limit: MB (size on disk), ms (median latency), or points (score lost "
        "against the reference)."
    )
    reference: str | None = Field(
        default=None,
        description="Stage whose model the points are counted from; default: the first other "
        "model that is scored.",
    )
    candidate: str = Field(description="Stage whose model is searched for.")
    knobs: dict[str, list[Any]] = Field(
        description="Knobs and their values; a stage mentions a knob as ${knob}, and each trial "
        "sets all knobs."
    )

    @field_validator("budget")
    @classmethod
    def _one(cls, budget: dict[BudgetKind, float]) -> dict[BudgetKind, float]:
        if len(budget) != 1:
            raise ValueError(
                "give one budget: {MB: 20}, {ms: 2.0} of median latency, or {points: 1.0} of score"
            )
        return budget

    @field_validator("knobs")
    @classmethod
    def _some(cls, knobs: dict[str, list[Any]]) -> dict[str, list[Any]]:
        if not knobs:
            raise ValueError("give at least one knob and its values: {layers: [2, 3]}")
        return knobs

    @property
    def kind(self) -> BudgetKind:
        """What the budget is of."""
        return next(iter(self.budget))

    @property
    def limit(self) -> float:
        """The budget in its unit."""
        return self.budget[self.kind]


@dataclass(frozen=True, slots=True)
class Fixed:
    """Knobs as written, and the assignments for which stages are wanted."""

    knobs: Mapping[str, Node]
    assignments: Sequence[Assignment] = ()


def name_of_value(value: Any) -> Scalar:
    """What a value of a knob or a matrix variable is called in labels; None where it has no name.

    >>> name_of_value("query: "), name_of_value({"name": 3, "rate": 0.1}), name_of_value(True)
    ('query:', 3, 'true')
    """
    name: Any = value.get("name") if isinstance(value, dict) else value
    if isinstance(name, dict | list):
        return None
    if isinstance(name, bool):
        return str(name).lower()  # as YAML writes it
    return name.strip() if isinstance(name, str) else name


def names(knobs: Mapping[str, Node]) -> dict[str, tuple[str, ...]]:
    """What the values of each knob are called, in the recipe's order.

    >>> names({"layers": parse("[2, 3]", ...)})
    {'layers': ('2', '3')}
    """
    return {
        knob: tuple(str(name_of_value(value)) for value in _values(node))
        for knob, node in knobs.items()
    }


def numeric(node: Node) -> bool:
    """Whether all values of a knob are called by numbers, so that some lie nearer than others."""
    named = map(name_of_value, _values(node))
    return all(isinstance(name, int | float) for name in named)


def _values(node: Node) -> list[Any]:
    return [item.plain() for item in node.value] if isinstance(node.value, list) else []


def count(knobs: Mapping[str, Sequence[str]]) -> int:
    """How many assignments there are."""
    total = 1
    for values in knobs.values():
        total *= len(values)
    return total


def grid(knobs: Mapping[str, Sequence[str]]) -> Iterator[Assignment]:
    """All assignments, the last knob turning fastest.

    >>> list(grid({"a": ["1", "2"], "b": ["x"]}))
    [{'a': '1', 'b': 'x'}, {'a': '2', 'b': 'x'}]
    """
    for values in itertools.product(*knobs.values()):
        yield dict(zip(knobs, values, strict=True))


def cover(knobs: Mapping[str, Sequence[str]]) -> Iterator[Assignment]:
    """As few as hold every value of every knob."""
    for i in range(max(map(len, knobs.values()), default=0)):
        yield {knob: values[i % len(values)] for knob, values in knobs.items()}


def assignment_text(assignment: Assignment) -> str:
    """`layers=3, width=192`."""
    return ", ".join(f"{knob}={value}" for knob, value in assignment.items())
