"""Read back what measuring stages left.

>>> read([("scores", Path(".lingopress/stages/evaluate-5feceb66"))])["scores"][0].task
'xnli'
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from evalsuite.results.alignment import AlignmentResult
from evalsuite.results.fertility import FertilityResult
from evalsuite.results.record import Record
from evalsuite.results.speed import SpeedResult
from evalsuite.results.task import TaskResult

# What a measuring stage gives -> the field of the run's record, and what is read into it.
RECORDS: dict[str, tuple[str, type[Record]]] = {
    "scores": ("scores", TaskResult),
    "speed": ("speeds", SpeedResult),
    "alignment": ("alignment", AlignmentResult),
    "fertility": ("fertility", FertilityResult),
}


def read(outputs: Iterable[tuple[str, Path]]) -> dict[str, Any]:
    """Fields of a `RunRecord` from what stages gave: the kind of artifact, and its directory."""
    found: dict[str, list[Record]] = {field: [] for field, _ in RECORDS.values()}
    for kind, directory in outputs:
        field, record_type = RECORDS[kind]
        for path in sorted(directory.glob("*.json")):
            if path.name != "lingopress.json":
                text = path.read_text(encoding="utf-8")
                found[field].append(record_type.model_validate_json(text))
    return {field: tuple(records) for field, records in found.items()}
