"""Read what measuring stages wrote.

>>> read([("scores", Path(".lingopress/stages/evaluate-5feceb66"))])["scores"][0].task
'xnli'
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from evalsuite.results.alignment import AlignmentResult
from evalsuite.results.fertility import FertilityResult
from evalsuite.results.read_record import read_record
from evalsuite.results.record import Record
from evalsuite.results.run import MANIFEST
from evalsuite.results.speed import SpeedResult
from evalsuite.results.task import TaskResult

# Kind of artifact -> field of the run record, and class of its entries.
RECORDS: dict[str, tuple[str, type[Record]]] = {
    "scores": ("scores", TaskResult),
    "speed": ("speeds", SpeedResult),
    "alignment": ("alignment", AlignmentResult),
    "fertility": ("fertility", FertilityResult),
}


def read(outputs: Iterable[tuple[str, Path]]) -> dict[str, Any]:
    """Fields of a `RunRecord`, from pairs of artifact kind and directory.

    Raises:
        DataError: a file cannot be read, or holds what no stage writes.
    """
    records: dict[str, list[Record]] = {field: [] for field, _ in RECORDS.values()}
    for kind, directory in outputs:
        field, record_type = RECORDS[kind]
        for path in sorted(directory.glob("*.json"), key=_place):
            if path.name != MANIFEST:
                records[field].append(read_record(path, record_type))
    return {field: tuple(entries) for field, entries in records.items()}


def _place(path: Path) -> tuple[int, str]:
    """By the number that a name begins with: 1000.json comes after 999.json."""
    number = re.match(r"\d+", path.name)
    return int(number[0]) if number else -1, path.name
