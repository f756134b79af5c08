"""What a bundle says of the stages that it was made by.

>>> made_from(records)
['train (mnli, lora, nf4) of FacebookAI/xlm-roberta-base', 'fuse']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalsuite.results.run import StageRecord

_SHOWN_KEYS = ("method", "precision")  # of a stage's config, after its tasks


def made_from(lineage: Sequence[StageRecord]) -> list[str]:
    """What each ancestor did, oldest first."""
    steps = []
    names = {record.name for record in lineage}
    for record in lineage:
        tasks = record.config.get("tasks") or ()
        details = [
            *tasks,
            *(str(record.config[key]) for key in _SHOWN_KEYS if key in record.config),
        ]
        details += kept(record.config) if record.kind == "cut" else []
        outside = [shown(label) for label in record.inputs if label not in names]
        of = f" of {', '.join(outside)}" if outside else ""
        steps.append(record.kind + (f" ({', '.join(details)})" if details else "") + of)
    return steps


def kept(keys: Mapping[str, Any]) -> list[str]:
    """What is kept of an elastic student, by the keys of a cut.

    >>> kept({"layers": 4, "ffn": 768})
    ['layers 4', 'ffn 768']
    """
    return [f"{key} {keys[key]}" for key in ("layers", "ffn") if keys.get(key)]


def shown(source: str) -> str:
    """The name of a model that no stage made; paths of this machine are not published."""
    return "a local directory" if source.startswith((".", "~", "/")) else source
