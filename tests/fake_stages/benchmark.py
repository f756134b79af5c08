"""Measure by looking who else is at work."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from recipes.stages._shared.contract import (
    Artifact,
    DataNeed,
    ModelRefs,
    StageConfig,
    StageContext,
    Summary,
)

VERSION = 1
LABELS_MATTER = True
ALONE = True


class Config(StageConfig):
    models: ModelRefs


def check(config: Config, inputs: Mapping[str, tuple[Artifact, ...]]) -> Artifact:
    return Artifact("speed")


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    return ()


def run(config: Config, ctx: StageContext) -> Summary:
    partial = Path(ctx.work).parents[1]
    others = [path.name for path in partial.iterdir() if path != ctx.work.parent]
    (ctx.out / "scores.txt").write_text(" ".join(others))
    return {"process": os.getpid(), "others": len(others)}
