r"""Answered rows as JSON lines, CSV or TSV.

>>> JsonLinesEncoder().encode([Answered(2, {"text": "It rains."}, {"score": 0.5})])
(b'{"text": "It rains.", "score": 0.5}\n', [])
"""

from __future__ import annotations

import base64
import csv
import io
import json
import math
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, Protocol

from evalsuite.bulk.answered import PREFIX, Answered, flat
from evalsuite.bulk.rows import BadRow

Encoded = tuple[bytes, list[BadRow]]
_SPACED = ("words", "tags")  # of an answer, written with spaces between: no item has one


class Encoder(Protocol):
    """Turns windows into what is appended to the output.

    Attributes:
        begun: whether a row was encoded; the first ones decide about columns.
        flat: whether answers are written as `answered.flat` gives them, in columns.
    """

    begun: bool
    flat: bool

    def encode(self, window: Sequence[Answered | BadRow]) -> Encoded:
        """The bytes of a window, and rows of it that do not fit the output."""
        ...


class JsonLinesEncoder:
    """An object per row."""

    flat = False

    def __init__(self) -> None:
        self.begun = False

    def encode(self, window: Sequence[Answered | BadRow]) -> Encoded:
        """See `Encoder`."""
        rows = [row for row in window if isinstance(row, Answered)]
        self.begun = self.begun or bool(rows)
        lines = (json_text({**row.fields, **row.answer}) for row in rows)
        return "".join(f"{line}\n" for line in lines).encode("utf-8"), []


class DelimitedEncoder:
    """A line of names, then a line per row; lists and objects are JSON.

    The columns are those of the input, or of the first JSON lines.
    """

    flat = True

    def __init__(self, columns: Sequence[str] | None, delimiter: str) -> None:
        self.begun, self._columns, self._delimiter = False, columns, delimiter
        self._names: list[str] = []

    def encode(self, window: Sequence[Answered | BadRow]) -> Encoded:
        """See `Encoder`."""
        rows = [row for row in window if isinstance(row, Answered)]
        text, bad = io.StringIO(), []
        if rows and not self.begun:
            self.begun = True
            columns = self._columns or union(rows)
            self._names = [*columns, *flat(rows[0].answer)]
            self._write(text, self._names)
        allowed = set(self._names)
        for row in rows:
            answer = {name: _answer_cell(name, value) for name, value in flat(row.answer).items()}
            record = {**row.fields, **answer}
            if strange := [name for name in record if name not in allowed]:
                bad.append(strange_column(row.line, strange[0]))
            else:
                self._write(text, [_cell(record.get(name)) for name in self._names])
        return text.getvalue().encode("utf-8"), bad

    def _write(self, text: io.StringIO, cells: Sequence[Any]) -> None:
        """A line; of CSV all in quotation marks where a cell has a carriage return.

        Python's `csv` overlooks it. TSV is read here with or without it, and mostly without marks.
        """
        returns = any(isinstance(cell, str) and "\r" in cell for cell in cells)
        writer = csv.writer(
            text,
            delimiter=self._delimiter,
            lineterminator="\n",
            quoting=csv.QUOTE_ALL if returns and self._delimiter == "," else csv.QUOTE_MINIMAL,
        )
        writer.writerow(cells)


def union(rows: Sequence[Answered]) -> list[str]:
    """The columns that the rows have, in order."""
    return list(dict.fromkeys(name for row in rows for name in row.fields))


def strange_column(line: int, name: str) -> BadRow:
    """A row with a column that the output has no place for."""
    return BadRow(line, f"it has a column {name!r}, which the first rows do not have")


def plain(value: Any) -> Any:
    """A vector, or a value of a parquet file, as JSON has it."""
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "astype"):  # a vector
        return value.astype("float64").round(7).tolist()
    return str(value)


def json_text(value: Any) -> str:
    """A value as JSON; numbers that it does not have, such as NaN, are null.

    >>> json_text({"text": "é", "scores": [0.5, float("nan")]})
    '{"text": "é", "scores": [0.5, null]}'
    """
    try:
        return json.dumps(value, ensure_ascii=False, default=plain, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, default=plain)


def _finite(value: Any) -> Any:
    """The value with None for each number in it that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return _finite(plain(value)) if hasattr(value, "astype") else value


def _answer_cell(name: str, value: Any) -> Any:
    """Words and tags of an answer with spaces between; anything else as it is."""
    spaced = isinstance(value, list) and name.removeprefix(PREFIX) in _SPACED
    return " ".join(value) if spaced else value


def _cell(value: Any) -> Any:
    """What is written in a cell: true, lists and objects as JSON has them; dates as text.

    >>> _cell(True), _cell(date(2024, 1, 2)), _cell({"a": 1})
    ('true', '2024-01-02', '{"a": 1}')
    """
    if isinstance(value, bool | list | tuple | dict):
        return json_text(value)
    return value if value is None or isinstance(value, str | int | float) else plain(value)
