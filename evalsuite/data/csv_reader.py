"""Python's reader of CSV, with one limit for a field wherever rows are read.

>>> list(csv_reader(['text,label', '"It rains, again.",weather']))
[['text', 'label'], ['It rains, again.', 'weather']]

The library's own limit is 128 KiB, and holds for the whole process.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any

LONGEST_FIELD = 1 << 24  # characters


def csv_reader(lines: Iterable[str], **how: Any) -> Any:
    """A `csv.reader` of lines that takes fields of up to 16 million characters.

    Args:
        how: keys of `csv.reader`.
    """
    csv.field_size_limit(LONGEST_FIELD)
    return csv.reader(lines, **how)
