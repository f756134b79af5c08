"""What separates the columns of a CSV file: commas or semicolons.

>>> separator(["text;label", "It rains, again.;weather"])
';'

Spreadsheets write semicolons where a comma is the decimal mark, as in German and French.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from itertools import islice

from evalsuite.data.csv_reader import csv_reader

LOOKED_AT = 50  # lines
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def separator(lines: Sequence[str], *, named: bool = True) -> str:
    """The separator of a file, `,` or `;`, from its first lines.

    Args:
        named: the first line names the columns, and decides where it has one of the two marks. In
            all other files semicolons are taken where they divide the lines into equally many
            columns and commas do not.
    """
    some = list(islice((line for line in lines if line.strip()), LOOKED_AT))
    bare = _QUOTED.sub("", some[0]) if some else ""
    if named and ("," not in bare or ";" not in bare):
        return ";" if ";" in bare else ","
    return ";" if divides(";", some) and not divides(",", some) else ","


def divides(mark: str, lines: Sequence[str]) -> bool:
    """Whether it divides all lines into the same number of columns, at least two."""
    try:
        widths = {len(row) for row in csv_reader(lines, delimiter=mark)}
    except csv.Error:
        return False
    return len(widths) == 1 and widths.pop() > 1
