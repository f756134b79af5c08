"""How a method declares its options, and reads them.

>>> @dataclass(frozen=True, slots=True)
... class Options:
...     rank: int = option(16, "LoRA rank: inner dimension of the low-rank update.", ge=1)
>>> read(Options, {"rank": 4, "length": 8}).rank
4
>>> declared(Options)[0].help
'LoRA rank: inner dimension of the low-rank update.'

The declaration is the one place that names an option: its type, its default, its limits and the
sentence that explains it. It imports nothing heavy, so that recipes can be checked against it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a method, as its `Options` declare it.

    Attributes:
        type: what values it takes, such as `int` or `tuple[int, ...] | None`.
        help: one plain sentence.
        limits: of its value, by the names pydantic has for them, such as `{"ge": 1}`.
    """

    name: str
    type: Any
    default: Any
    help: str
    limits: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NoOptions:
    """The options of a method that declares none."""


def option(default: Any, help: str, **limits: Any) -> Any:
    """A field of a method's `Options`.

    Args:
        help: one plain sentence.
        limits: of its value, as pydantic's `Field` takes them: `ge`, `lt`, `min_length`.
    """
    return dataclasses.field(default=default, metadata={"help": help, "limits": limits})


def declared(options: type) -> tuple[Option, ...]:
    """The options a method's `Options` declare, in their order."""
    types = get_type_hints(options, include_extras=True)
    return tuple(
        Option(f.name, types[f.name], f.default, f.metadata["help"], f.metadata["limits"])
        for f in dataclasses.fields(options)
    )


def read(options: type[T], given: Mapping[str, Any]) -> T:
    """The method's options, from those of all methods; others are ignored."""
    names = {field.name for field in dataclasses.fields(options)}  # type: ignore[arg-type]
    return options(**{name: value for name, value in given.items() if name in names})
