"""Score by reading what the model says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping

from report_fakes import a_model, a_score

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


class Config(StageConfig):
    models: ModelRefs
    tasks: tuple[str, ...]
    english_only: bool = False


def check(config: Config, inputs: Mapping[str, tuple[Artifact, ...]]) -> Artifact:
    return Artifact("scores")


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    return tuple(DataNeed(task, "eval") for task in config.tasks)


def run(config: Config, ctx: StageContext) -> Summary:
    for number, model in enumerate(ctx.inputs["models"]):
        figures = json.loads((model.path / "figures.json").read_text())
        info = a_model(model.label, round(figures["bytes"]))
        scores = {"en": 90.0, "de": figures["score"] + 2, "sw": figures["score"] - 2}
        if config.english_only:
            scores = {"en": 90.0}
        for task in config.tasks:
            result = a_score(info, task, **scores)
            (ctx.out / f"{number}.{task}.json").write_text(result.model_dump_json())
    return {}
