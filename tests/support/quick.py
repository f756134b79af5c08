"""Options of trainings and distillations that take a second."""

from __future__ import annotations

import dataclasses
from typing import Any

from compress.distill.options import Options as Distillation
from transfer.loop.fit import Settings
from transfer.supervised.options import Options

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


_DISTILLED = Distillation(
    layers=1,
    logits=1.0,
    hidden=0.0,
    labels=0.0,
    temperature=2.0,
    multilingual=0.0,
    epochs=1,
    max_steps=2,
    batch_size=8,
    max_length=64,
    max_examples=200,
    max_pairs=40,
    settings=Settings(1e-3, seed=1, compute="fp32"),
)


def distillation(**changes: Any) -> Distillation:
    """Two steps of the outputs alone to a student of one layer, with changes."""
    return dataclasses.replace(_DISTILLED, **changes)
