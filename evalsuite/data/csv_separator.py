"""What separates the columns of a CSV file: commas or semicolons.

>>> separator(["text;label", "It rains, again.;weather"])
';'

Spreadsheets write semicolons where a comma is the decimal mark, as in German and French.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from itertools import islice

from evalsuite.data.csv_reader import csv_reader

LOOKED_AT = 50  # lines
_MOST = 2 / 3  # of the rows
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_OF_TEXT = re.compile(r",(?=\s)|(?<=\d),(?=\d)")  # a comma of a sentence or a number


def separator(lines: Iterable[str], *, named: bool = True) -> str:
    """The separator of a file, `,` or `;`, from its first lines, of which few are asked for.

    Args:
        named: the first line names the columns, and decides where it has one of the two marks. In
            all other files semicolons are taken where they divide the rows into equally many
            columns, or most of them, and commas do not or may be those of sentences and numbers.
    """
    filled = (line for line in lines if line.strip())
    head = next(filled, "")
    bare = _QUOTED.sub("", head)
    if named and bare.count('"') == 0 and ("," not in bare or ";" not in bare):
        return ";" if ";" in bare else ","
    some = [head, *islice(filled, LOOKED_AT - 1)]
    if not divides(";", some):
        most = _share(";", some)  # a row with a mistake does not make it a file of commas
        return ";" if most > max(_share(",", some), _MOST) and not divides(",", some) else ","
    rest = [_OF_TEXT.sub("", _QUOTED.sub("", line)) for line in some]
    return "," if divides(",", some) and any("," in line for line in rest) else ";"


def divides(mark: str, lines: Sequence[str]) -> bool:
    """Whether it divides all rows into the same number of columns, at least two.

    The last of several rows may be cut off, and does not count then.
    """
    widths = _widths(mark, lines)
    if len(widths) > 2 and len(lines) >= LOOKED_AT:
        widths.pop()
    return len(set(widths)) == 1 and widths[0] > 1


def _share(mark: str, lines: Sequence[str]) -> float:
    """Share of the rows that it divides into equally many columns, at least two."""
    widths = _widths(mark, lines)
    return max((widths.count(width) for width in set(widths) if width > 1), default=0) / len(lines)


def _widths(mark: str, lines: Sequence[str]) -> list[int]:
    """Columns of each row; of none where there is a row that cannot be read."""
    try:
        return [len(row) for row in csv_reader(lines, delimiter=mark) if row]
    except csv.Error:
        return []
