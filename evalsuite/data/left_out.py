"""Rows that are read and not used: defects that published data are known for.

>>> with collected() as found:
...     rows = TASKS.get("snli").load(source, "train", "en")
>>> found[Rows("snli", "train", "en")]
LeftOut(read=550152, reasons={'no gold label': 785})
>>> sentence(found)
'snli train en: 785 of 550,152 rows (no gold label)'

Whoever reads rows records what was left out; whoever wants to know collects it around the reading.
Other defects are errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NamedTuple

NO_GOLD = "no gold label"


class Rows(NamedTuple):
    """Whose rows."""

    task: str
    split: str
    language: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many rows there were, and how many of them were left out for each reason."""

    read: int
    reasons: Mapping[str, int]


_COLLECTING: ContextVar[tuple[dict[Rows, LeftOut], ...]] = ContextVar("collecting", default=())


@contextmanager
def collected() -> Iterator[dict[Rows, LeftOut]]:
    """What is left out of all rows read inside; the same rows read twice are there once."""
    found: dict[Rows, LeftOut] = {}
    token = _COLLECTING.set((*_COLLECTING.get(), found))
    try:
        yield found
    finally:
        _COLLECTING.reset(token)


def record(rows: Rows, read: int, reasons: Mapping[str, int]) -> None:
    """Say what was left out of some rows; nothing where it was none."""
    if any(reasons.values()):
        for found in _COLLECTING.get():
            found[rows] = LeftOut(read, dict(reasons))


def sentence(found: Mapping[Rows, LeftOut]) -> str:
    """All of it in one line; empty where nothing was left out."""
    return "; ".join(
        f"{rows.task} {rows.split} {rows.language}: {_counts(left.reasons, left.read)}"
        for rows, left in sorted(found.items())
    )


def _counts(reasons: Mapping[str, int], read: int) -> str:
    listed: Iterable[str] = (f"{reason} {count:,}" for reason, count in reasons.items())
    why = next(iter(reasons)) if len(reasons) == 1 else ", ".join(listed)
    return f"{sum(reasons.values()):,} of {read:,} rows ({why})"
