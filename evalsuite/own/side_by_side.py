"""Files with one line per row each, which belong together line by line.

>>> side_by_side({"text": Path("en.txt"), "label": Path("en.labels")})
{'text': ['It rains.', 'We won.'], 'label': ['weather', 'sports']}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evalsuite.errors import MalformedRowError
from evalsuite.own.records import content


def side_by_side(parts: Mapping[str, Path]) -> dict[str, list[str]]:
    """Part of a row -> the lines of its file.

    Raises:
        DataError: a file cannot be read.
        MalformedRowError: one has more lines than another.
    """
    read = {role: content(path).removesuffix("\n").split("\n") for role, path in parts.items()}
    first = next(iter(parts))
    for role, lines in read.items():
        if len(lines) != len(read[first]):
            raise MalformedRowError(
                parts[role],
                min(len(lines), len(read[first])) + 1,
                f"{len(lines):,} lines, and {parts[first].name} has {len(read[first]):,}; "
                "line by line they belong together",
            )
    return {role: [line.removesuffix("\r") for line in lines] for role, lines in read.items()}
