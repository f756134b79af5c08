"""Labels are matched by their names: two models may number the same labels differently.

>>> places(("entailment", "neutral"), ("neutral", "entailment"))
[1, 0]
>>> numbered(("LABEL_0", "LABEL_1"))
True
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"LABEL_\d+")
_FEW = 20


def same_names(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether both are the same labels, in any order."""
    return sorted(one) == sorted(other)


def places(wanted: Sequence[str], own: Sequence[str]) -> list[int]:
    """The number that each wanted label has among a model's own; both have the same names."""
    return [own.index(label) for label in wanted]


def numbered(labels: Sequence[str]) -> bool:
    """Whether these are the names that transformers gives to labels without names."""
    return bool(labels) and all(_NUMBER.fullmatch(label) for label in labels)


def naming_hint(labels: Sequence[str], wanted: Sequence[str], name: str) -> str:
    """What to do where a model numbers its labels.

    It is empty where the model names them, or has more or fewer than are wanted.

    Args:
        name: of the model's directory.
    """
    if not numbered(labels) or len(labels) != len(wanted):
        return ""
    entries = ", ".join(f'"{number}": "..."' for number in range(len(labels)))
    return (
        f"\nthe labels of {name} have numbers and no names; in its config.json set id2label: "
        f"{{{entries}}}, with {', '.join(map(repr, wanted))} in the order it was trained with"
    )


def few(labels: Sequence[str]) -> str:
    """The labels for a message; of many the first ones and how many more."""
    more = f" and {len(labels) - _FEW} more" if len(labels) > _FEW else ""
    return ", ".join(labels[:_FEW]) + more
