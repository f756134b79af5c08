"""Refuse a config that describes a model far larger than its weights.

transformers makes room for all that a config describes before it looks at the weights, so a wrong
number there would fill the memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalsuite.errors import ModelError

_TIMES = 16  # 4-bit codes stored two a byte, tied and shared weights, formulas that are rough
_ROOM = 50_000_000  # parameters of a new head


def refuse_oversized(directory: Path, config: Any, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ModelError where the config's numbers are none that the weights can have."""
    held = sum(map(math.prod, shapes.values()))
    layers = _number(config, "num_hidden_layers")
    if layers > len(shapes):
        raise ModelError(
            f"{directory / 'config.json'} says num_hidden_layers: {layers}, but there are only "
            f"{len(shapes)} tensors in the weights"
        )
    described = _described(config)
    if described > _TIMES * held + _ROOM:
        raise ModelError(
            f"{directory / 'config.json'} describes a model of about {described:,} parameters, but "
            f"the weights hold {held:,}; is it the config of another model?"
        )


def _described(config: Any) -> int:
    """About as many parameters as a transformer of these sizes has."""
    width, layers = _number(config, "hidden_size"), _number(config, "num_hidden_layers")
    tables = sum(
        _number(config, name)
        for name in ("vocab_size", "max_position_embeddings", "type_vocab_size", "num_labels")
    )
    layer = width * (4 * width + 2 * _number(config, "intermediate_size"))
    return width * tables + layers * layer


def _number(config: Any, name: str) -> int:
    value = getattr(config, name, 0)
    return value if isinstance(value, int) else 0
