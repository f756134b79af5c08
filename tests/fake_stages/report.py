"""Report in one page."""

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


class Config(StageConfig):
    results: ModelRefs


def check(config: Config, inputs: Mapping[str, tuple[Artifact, ...]]) -> Artifact:
    return Artifact("report")


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    return ()


def run(config: Config, ctx: StageContext) -> Summary:
    page = [ctx.recipe, ctx.description, *(record.name for record in ctx.lineage)]
    page += [(i.path / "scores.txt").read_text() for i in ctx.inputs["results"]]
    (ctx.out / "report.html").write_text("\n".join(page))
    return {}
