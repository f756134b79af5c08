"""Tables of the documents, read back: a chart shows the figures of the table under it."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]


def rows(page: str, *columns: str) -> list[list[str]]:
    """Rows of the first table of a page that has these columns, in this order.

    Raises:
        LookupError: the page has no such table; a chart then has to be changed with it.
    """
    found: list[list[str]] = []
    places: list[int] = []
    for line in (DOCS / page).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            if found:
                return found
            places = []
        elif not places:
            places = [cells.index(name) if name in cells else -1 for name in columns]
            if min(places) < 0:
                places = [-1]
        elif min(places) >= 0 and not set(line) <= set("|-: "):
            found.append([cells[place] for place in places])
    if found:
        return found
    raise LookupError(f"docs/{page} has no table with the columns {', '.join(columns)}")


def number(cell: str) -> float:
    """The first number of a cell: `61.1 (-2.2)` is 61.1, `1,112.2` is 1112.2."""
    match = re.search(r"[-+]?\d[\d,]*(?:\.\d+)?", cell)
    if match is None:
        raise LookupError(f"no number in the cell {cell!r}")
    return float(match[0].replace(",", ""))


def interval(cell: str) -> tuple[float, float, float]:
    """`47.2 (46.3 to 48.0)` as mean, low and high."""
    mean, low, high = (float(part) for part in re.findall(r"[-+]?\d+(?:\.\d+)?", cell)[:3])
    return mean, low, high
