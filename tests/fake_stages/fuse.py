"""Fuse by copying.

Longer text that `ls` leaves out.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from recipes.stages._shared.contract import (
    Artifact,
    DataNeed,
    ModelRef,
    StageConfig,
    StageContext,
    StageInputError,
    Summary,
)

VERSION = 1


class Config(StageConfig):
    model: ModelRef
    layers: int | None = None
    weight: float = 1.0


def check(config: Config, inputs: Mapping[str, tuple[Artifact, ...]]) -> Artifact:
    (model,) = inputs["model"]
    if model.task is None:
        raise StageInputError("model: has no task head to keep")
    return model


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    return ()


def run(config: Config, ctx: StageContext) -> Summary:
    shutil.copy(ctx.input("model").path / "config.json", ctx.out)
    (ctx.out / "deep").mkdir()
    (ctx.out / "deep" / "model.safetensors").write_text(str(config.weight))
    return {}
