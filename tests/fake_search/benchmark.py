"""Time by reading what the model says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping

from report_fakes import a_model, a_speed

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
    for number, model in enumerate(ctx.inputs["models"]):
        figures = json.loads((model.path / "figures.json").read_text())
        speed = a_speed(a_model(model.label, round(figures["bytes"])), 1000 / figures["ms"])
        seconds = (figures["ms"] / 1000,) * 3
        speed = speed.model_copy(update={"latency_seconds": seconds})
        (ctx.out / f"{number}.json").write_text(speed.model_dump_json())
    return {}
