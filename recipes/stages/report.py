"""Put scores, speed and what every stage cost into one report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from recipes.stage import Artifact, DataNeed, ModelRefs, StageConfig, StageContext, Summary
from recipes.training import need

VERSION = 4
LABELS_MATTER = True


class Config(StageConfig):
    """Which evaluate, benchmark and fertility stages to show."""

    results: ModelRefs = Field(min_length=1)


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A report."""
    for artifact in inputs["results"]:
        need(artifact, "results", "scores", "speed", "fertility")
    return Artifact("report")


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """None of its own."""
    return ()


def run(config: Config, ctx: StageContext) -> Summary:
    """Write report.html, report.md, report.json, summary.txt."""
    from evalsuite import report
    from evalsuite.results import FertilityResult, RunRecord, SpeedResult, TaskResult

    scores, speeds, fertility = [], [], []
    for item in ctx.inputs["results"]:
        for path in sorted(item.path.glob("*.json")):
            if path.name == "lingopress.json":
                continue
            text = path.read_text(encoding="utf-8")
            if item.artifact.kind == "scores":
                scores.append(TaskResult.model_validate_json(text))
            elif item.artifact.kind == "fertility":
                fertility.append(FertilityResult.model_validate_json(text))
            else:
                speeds.append(SpeedResult.model_validate_json(text))
    record = RunRecord(
        recipe=ctx.recipe,
        description=ctx.description,
        source=ctx.data.kind,
        seed=ctx.seed,
        stages=ctx.lineage,
        scores=tuple(scores),
        speeds=tuple(speeds),
        fertility=tuple(fertility),
    )
    report.write(record, ctx.out)
    return {"models": len({s.model.label for s in scores}), "scores": len(scores)}
