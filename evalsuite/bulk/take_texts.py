"""The texts of a row: which columns hold them, and what is wrong where they do not.

>>> take = TextTaker(rows, head, columns=("body",))
>>> take(Row(2, {"body": "It rains.", "id": "7"}))
(['It rains.'], {'body': 'It rains.', 'id': '7'})
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from evalsuite.bulk.read_text import LINE, Lines, stored_text
from evalsuite.bulk.rows import Row, Rows
from evalsuite.errors import DataError
from evalsuite.inference.answers import Texts

Taken = tuple[list[str], dict[str, Any]]


class TextTaker:
    """Takes the texts out of rows.

    Rows of JSON lines name their own columns: `choose` looks for them in the first rows.

    Args:
        texts: how many the model reads, and what their columns are usually called.
        columns: those that hold them; default the usual ones.

    Raises:
        DataError: the table has no such columns.
    """

    def __init__(self, rows: Rows, texts: Texts, columns: Sequence[str] = ()) -> None:
        self.name, self.texts, self.asked = rows.name, texts, tuple(columns)
        self.plain = isinstance(rows, Lines)
        if self.plain and columns:
            raise DataError(
                f"{rows.name}: plain lines have no columns; say what it is: --from csv, tsv, jsonl "
                "or parquet"
            )
        self._columns: tuple[str, ...] = ()
        if rows.columns is not None and not self.plain:
            self._columns = self._chosen(rows.columns)

    def choose(self, rows: Sequence[Row]) -> None:
        """Choose the columns from the first rows, where the table does not name them.

        The first row that has columns with usual names decides.

        Raises:
            DataError: no row has the columns.
        """
        if self.plain or self._columns or not rows:
            return
        together = tuple(dict.fromkeys(name for row in rows for name in row.fields))
        usual = (self._usual(row.fields) for row in rows if not self.asked)
        self._columns = next(filter(None, usual), ()) or self._chosen(together)

    def __call__(self, row: Row) -> Taken:
        """The texts of a row, and the columns of it that are kept.

        Raises:
            ValueError: a text is absent, empty or not UTF-8; its message is the reason.
        """
        if self.plain:
            texts = self.texts.split(row.fields[LINE])
            if not all(text.strip() for text in texts):
                raise ValueError("an empty text")
            return texts, self.texts.named(texts)
        found: list[str] = []
        fields = dict(row.fields)
        for column in self._columns:
            value = stored_text(column, fields.get(column))
            if column in fields:
                fields[column] = value
            many = self.texts.most is None and column == self._columns[-1]
            if many and isinstance(value := _as_list(value), list):
                found.extend(_text(column, item) for item in value or ())
            else:
                found.append(_text(column, value))
        if self.texts.most is None and self._columns[1:2] == ("question",):
            found[:2] = ["\t".join(found[:2])]
        if len(found) < self.texts.least:
            raise ValueError(f"{len(found)} texts; this model needs {self.texts.least} or more")
        return found, fields

    def _chosen(self, there: Sequence[str]) -> tuple[str, ...]:
        texts, listed = self.texts, ", ".join(map(repr, there)) or "none"
        if self.asked:
            if absent := [column for column in self.asked if column not in there]:
                raise DataError(
                    f"{self.name}: no column {', '.join(map(repr, absent))}; there are: {listed}"
                )
            most = texts.most or len(self.asked)
            if len(self.asked) > most or (len(self.asked) < texts.least and texts.most is not None):
                count = f"{texts.least} to {most}" if most > texts.least else str(most)
                raise DataError(
                    f"--columns {','.join(self.asked)}: this model reads {count} column(s) per row"
                )
            return self.asked
        if usual := self._usual(there):
            return usual
        if len(there) == 1 and texts.least == 1:
            return tuple(there)
        names = " or ".join(",".join(names) for names in texts.columns)
        raise DataError(
            f"{self.name}: no column is called {names}; say which hold the text: "
            f"--columns NAME[,NAME]\nthere are: {listed}"
        )

    def _usual(self, there: Collection[str]) -> tuple[str, ...]:
        """The columns with usual names that are there; empty where there are none."""
        return next((names for names in self.texts.columns if set(names) <= set(there)), ())


def _as_list(value: Any) -> Any:
    """A list that CSV and TSV hold as JSON."""
    if isinstance(value, str) and value.startswith("["):
        with suppress(ValueError):
            found = json.loads(value)
            return found if isinstance(found, list) else value
    return value


def _text(column: str, value: Any) -> str:
    """A value as text: words may be a list.

    Raises:
        ValueError: there is none.
    """
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        if any(len(item.split()) != 1 for item in value):
            raise ValueError(f"a word of column {column!r} is empty or has a space in it")
        value = " ".join(value)
    if value is None:
        raise ValueError(f"no text in column {column!r}")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"no text in column {column!r}, but {type(value).__name__}")
    if not str(value).strip():
        raise ValueError(f"an empty text in column {column!r}")
    return str(value)
