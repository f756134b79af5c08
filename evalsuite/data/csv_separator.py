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
_FEW = 20  # at most one row in 20 may have a mistake
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_FIELD = re.compile(r'(?<![^;,\n])"(?:[^"]|"")*"')  # in quotation marks, also of several lines
_OF_TEXT = re.compile(r",(?=[^\S\n])|(?<=\d),(?=\d)")  # a comma of a sentence or a number


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
    rest = _OF_TEXT.sub("", _FIELD.sub("", "\n".join(line.strip("\r\n") for line in some)))
    if divides(",", some) and "," in rest:
        return ","
    if divides(";", some):
        return ";"
    widths, others = _widths(";", some), _widths(",", rest.split("\n"))
    most = _most(widths)  # a row with a mistake does not make it a file of commas
    few = len(widths) - most <= max(1, len(widths) // _FEW)
    least = max(_MOST, _most(others) / max(1, len(others)))
    return ";" if few and most > least * len(widths) else ","


def divides(mark: str, lines: Sequence[str]) -> bool:
    """Whether it divides all rows into the same number of columns, at least two.

    The last of several rows may be cut off, and does not count then.
    """
    widths = _widths(mark, lines)
    return len(set(widths)) == 1 and widths[0] > 1


def _most(widths: Sequence[int]) -> int:
    """The most rows that have equally many columns, at least two."""
    return max((widths.count(width) for width in set(widths) if width > 1), default=0)


def _widths(mark: str, lines: Sequence[str]) -> list[int]:
    """Columns of each row; of none where there is a row that cannot be read."""
    try:
        widths = [len(row) for row in csv_reader(lines, delimiter=mark) if row]
    except csv.Error:
        return []
    return widths[:-1] if len(widths) > 2 and len(lines) >= LOOKED_AT else widths
