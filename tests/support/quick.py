"""Options of a training that takes a second."""

from __future__ import annotations

import dataclasses
from typing import Any

from transfer.supervised import Options
from transfer.train import Settings

_QUICK = Options(
    method="lora",
    batch_size=8,
    max_steps=2,
    max_length=32,
    max_examples=64,
    settings=Settings(1e-2, seed=1, compute="fp32"),
    method_options={"rank": 4},
)


def options(**changes: Any) -> Options:
    """Two steps of LoRA in English, with changes."""
    return dataclasses.replace(_QUICK, **changes)
