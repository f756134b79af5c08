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

_NAMED = 5  # languages that are named one by one
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


def record(rows: Rows, read: int, reasons: Mapping[str, int], *, always: bool = False) -> None:
    """Say what was left out of some rows; nothing where it was none, unless `always`."""
    if any(reasons.values()) or always:
        for found in _COLLECTING.get():
            found[rows] = LeftOut(read, {why: count for why, count in reasons.items() if count})


def sentence(found: Mapping[Rows, LeftOut]) -> str:
    """All of it in one line; empty where nothing was left out."""
    return "; ".join(
        f"{rows.task} {rows.split} {rows.language}: {_counts(left.reasons, left.read)}"
        for rows, left in sorted(found.items())
        if left.reasons
    )


def rows_read(found: Mapping[Rows, LeftOut]) -> str:
    """How many rows of each split were read and used, in one line.

    >>> rows_read({Rows("topics", "test", "de"): LeftOut(204, {"blank line": 3})})
    'topics test: 201 in de'
    """
    splits: dict[tuple[str, str], dict[str, int]] = {}
    for rows, left in sorted(found.items()):
        used = left.read - sum(left.reasons.values())
        splits.setdefault((rows.task, rows.split), {})[rows.language] = used
    return "; ".join(
        f"{task} {split}: {sum(counts.values()):,} in "
        + (f"{len(counts)} languages" if len(counts) > _NAMED else ", ".join(counts))
        for (task, split), counts in splits.items()
    )


def summary(found: Mapping[Rows, LeftOut]) -> dict[str, str]:
    """Both, for a stage's summary; what is empty is not there."""
    lines = {"rows read": rows_read(found), "rows left out": sentence(found)}
    return {name: line for name, line in lines.items() if line}


def _counts(reasons: Mapping[str, int], read: int) -> str:
    listed: Iterable[str] = (f"{reason} {count:,}" for reason, count in reasons.items())
    why = next(iter(reasons)) if len(reasons) == 1 else ", ".join(listed)
    return f"{sum(reasons.values()):,} of {read:,} rows ({why})"
