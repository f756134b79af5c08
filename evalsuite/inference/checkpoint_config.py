"""What `config.json` of a checkpoint or bundle says about the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evalsuite.errors import ModelError
from evalsuite.registry import FORMATS

FIRST_TOKEN = "first-token"  # `last_layer` in the config, where that layer computes `<s>` alone


def read_config(directory: Path) -> dict[str, Any]:
    """`config.json` as a mapping.

    Raises:
        ModelError: absent or not JSON.
    """
    path = directory / "config.json"
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{directory} has no config.json, so it is not a checkpoint") from None
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}") from None
    return config


def max_length_of(config: dict[str, Any]) -> int:
    """Longest sequence an XLM-R takes: two of its positions are reserved."""
    return int(config["max_position_embeddings"]) - 2


def labels_of(config: dict[str, Any]) -> tuple[str, ...]:
    """Label set in id order, from `id2label`; of a model of spans, its two ends, of one of choices
    its one score."""
    head = head_of(config)
    fixed: tuple[str, ...] = FORMATS.get(head).FIXED_LABELS if head else ()
    if fixed:
        return fixed
    table = config.get("id2label") or {}
    return tuple(table[key] for key in sorted(table, key=int))


def head_of(config: dict[str, Any]) -> str | None:
    """Name of the format whose head the architecture in the config has; None for an encoder.

    >>> head_of({"architectures": ["XLMRobertaForTokenClassification"]})
    'tagging'
    """
    architecture = " ".join(config.get("architectures") or ())
    for name in FORMATS.names():
        suffix = FORMATS.get(name).ARCHITECTURE
        if suffix and suffix in architecture:
            return name
    return None
