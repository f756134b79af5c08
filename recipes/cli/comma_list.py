"""Lists on the command line.

>>> comma_list('body, "Title, short"')
['body', 'Title, short']
"""

from __future__ import annotations

import csv


def comma_list(text: str) -> list[str]:
    """What stands between commas; an item with a comma in it has quotes around it, as in CSV."""
    line = text.replace("\n", " ").replace("\r", " ")
    return [item.strip() for item in next(csv.reader([line], skipinitialspace=True), [])]
