"""What formats share whose rows have a sentence, or two."""

from __future__ import annotations

from evalsuite.own.row import Row


def of(row: Row) -> tuple[str, str | None]:
    """First and second sentence; None where there is one sentence.

    Raises:
        MalformedRowError: one is empty.
    """
    if "text" in row.parts:
        return row.text("text"), None
    return row.text("first"), row.text("second")
