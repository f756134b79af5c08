"""Several names in one field: a JSON list, or names between `|`, `;` or `,`, the first there is."""

from __future__ import annotations

import json

from evalsuite.own.row import Row

_MARKS = ("|", ";", ",")


def names(row: Row, role: str) -> list[str]:
    """The names in a part of a row, none where it is empty.

    Raises:
        MalformedRowError: a name is empty, or what looks like a list is none.
    """
    written = row.parts.get(role, "").strip()
    if written.startswith("["):
        try:
            found = json.loads(written)
        except ValueError:
            found = None
        if not isinstance(found, list) or not all(isinstance(name, str | int) for name in found):
            raise row.error(f"{role}: {written[:60]!r} is not a list of names")
        parts = [str(name) for name in found]
    else:
        mark = next((mark for mark in _MARKS if mark in written), None)
        parts = written.split(mark) if written else []
    if not all(part.strip() for part in parts):
        raise row.error(f"{role}: {written[:60]!r} has an empty name")
    return [part.strip() for part in parts]
