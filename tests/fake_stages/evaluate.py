"""Score by counting bytes."""

from __future__ import annotations

from collections.abc import Mapping

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


def check(config: Config, inputs: Mapping[str, tuple[Artifact, ...]]) -> Artifact:
    return Artifact("scores")


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    return tuple(DataNeed(task, "eval") for task in config.tasks)


def run(config: Config, ctx: StageContext) -> Summary:
    lines = [f"{m.label} {len((m.path / 'config.json').read_text())}" for m in ctx.inputs["models"]]
    (ctx.out / "scores.txt").write_text("\n".join(lines))
    return {"models": len(lines)}
