"""Multilingual sentence encoders to learn from beside the English one: one file each.

>>> get("use").open()(["Guten Morgen", "good morning"]).shape
(2, 512)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalsuite import catalog

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Teacher:
    """What a file of this package calls `TEACHER`."""

    languages: tuple[str, ...]
    width: int
    open: Callable[[], Callable[[Sequence[str]], np.ndarray]]  # lines -> unit vectors, fp32


def names() -> tuple[str, ...]:
    """What there is, sorted."""
    return catalog.names(__name__)


def get(name: str) -> Teacher:
    """One of them.

    Raises:
        UnknownNameError: there is none of that name.
    """
    teacher: Teacher = catalog.load(__name__, name, "TEACHER", kind="teacher")
    return teacher
