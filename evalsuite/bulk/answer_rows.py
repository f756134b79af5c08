"""Answer all rows of a table, window by window, and write them.

>>> done = RowAnswerer(rows, take, model, encoder, sink, watch).run()
>>> done.rows, done.bad
(1000000, 3)

A run that goes on after a kill reads the rows again that were written, and answers the first of
them again: they must be the same rows, and get the same answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from evalsuite.bulk.answered import Answered, Merger
from evalsuite.bulk.encode_text import Encoder
from evalsuite.bulk.journal import Done, Sink
from evalsuite.bulk.rows import BadRow, Rows
from evalsuite.bulk.take_texts import TextTaker
from evalsuite.bulk.windows import Usable, Window, windows

Answers = tuple[list[dict[str, Any]], int]  # and how many of the rows were cut to the model
Answering = Callable[[Sequence[Sequence[str]]], Answers]  # of the texts per row


class Watch(Protocol):
    """Who shows how far a run is."""

    def bad(self, name: str, row: BadRow) -> None:
        """A row of the named input was left out."""
        ...

    def update(self, rows: int, resumed: int, share: float | None, *, utf8: bool = False) -> None:
        """This many rows are done, some of them by an earlier run; the share of the input.

        Args:
            utf8: text beyond ASCII was read as UTF-8.
        """
        ...


class RowAnswerer:
    """One run over a table.

    Args:
        take: gives the texts of a row.
        answer: gives the answers to rows of texts.
        strict: a bad row ends the run.
    """

    def __init__(
        self,
        rows: Rows,
        take: TextTaker,
        answer: Answering,
        encoder: Encoder,
        sink: Sink,
        watch: Watch,
        *,
        strict: bool = False,
    ) -> None:
        self.rows, self.take, self.answer = rows, take, answer
        self.encoder, self.sink, self.watch, self.strict = encoder, sink, watch, strict
        self._merge = Merger(table=encoder.flat)

    def run(self) -> Done:
        """Write all rows that are not written yet.

        Raises:
            MalformedRowError: there is a bad row, and the run is strict.
            DataError: what an earlier run wrote is of other rows or of another model.
        """
        earlier, digest = self.sink.done, hashlib.sha256()
        if self.strict and earlier.bad:
            raise self.sink.refuse(f"{earlier.bad:,} bad row(s) were left out of it")
        number = place = 0
        for number, window in enumerate(windows(self.rows, self.take, digest), 1):
            if number > earlier.windows:
                self._write(window, digest.hexdigest())
            elif not self.encoder.begun:
                place = self._compare(window, place)
            if number == earlier.windows and digest.hexdigest() != earlier.digest:
                raise self.sink.refuse(f"the first {earlier.rows:,} rows of the input are others")
            done, share = self.sink.done.rows, self.rows.done()
            self.watch.update(done, earlier.rows, share, utf8=self.rows.utf8())
        if number < earlier.windows:
            raise self.sink.refuse(f"it has {earlier.rows:,} rows, and the input has fewer")
        return self.sink.done

    def _write(self, window: Window, digest: str) -> None:
        data, bad, cut = self._encoded(window)
        for row in bad:
            if self.strict:
                raise row.error(self.rows.name, utf8=self.rows.utf8())
            self.watch.bad(self.rows.name, row)
        self.sink.append(data, bad, len(window), digest, cut)

    def _compare(self, window: Window, place: int) -> int:
        """Answer a window again that an earlier run wrote; where it ends in the file."""
        data, _, _ = self._encoded(window)
        if not self.sink.holds(data, place):
            raise self.sink.refuse(
                "this model gives other answers to its first rows (another model, other options, "
                "another machine or version)"
            )
        return place + len(data)

    def _encoded(self, window: Window) -> tuple[bytes, list[BadRow], int]:
        """The bytes of a window, its bad rows in order, and how many rows were cut."""
        usable = [row for row in window if isinstance(row, Usable)]
        answers, cut = self.answer([row.texts for row in usable]) if usable else ([], 0)
        merged: list[Answered | BadRow] = self._merge(window, answers)
        data, more = self.encoder.encode(merged)
        bad = [row for row in merged if isinstance(row, BadRow)]
        return data, sorted([*bad, *more], key=lambda row: row.line), cut
