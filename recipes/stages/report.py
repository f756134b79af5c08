"""Put scores, speed and what every stage cost into one report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from evalsuite.results import AlignmentResult, FertilityResult, Record, SpeedResult, TaskResult
from recipes.stage import Artifact, DataNeed, ModelRefs, StageConfig, StageContext, Summary
from recipes.training import need

VERSION = 7
LABELS_MATTER = True

# What a measuring stage gives -> the field of the run's record, and what is read into it.
_RECORDS: dict[str, tuple[str, type[Record]]] = {
    "scores": ("scores", TaskResult),
    "speed": ("speeds", SpeedResult),
    "alignment": ("alignment", AlignmentResult),
    "fertility": ("fertility", FertilityResult),
}


class Config(StageConfig):
    """Which stages that measure to show."""

    results: ModelRefs = Field(min_length=1)


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A report."""
    for artifact in inputs["results"]:
        need(artifact, "results", *_RECORDS)
    return Artifact("report")


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """None of its own."""
    return ()


def run(config: Config, ctx: StageContext) -> Summary:
    """Write report.html, report.md, report.json, summary.txt, and cards/ with one a system."""
    from evalsuite import report
    from evalsuite.report.cards import cards
    from evalsuite.results import RunRecord
    from recipes.workspace import file_name

    found: dict[str, list[Any]] = {field: [] for field, _ in _RECORDS.values()}
    for item in ctx.inputs["results"]:
        field, record_type = _RECORDS[item.artifact.kind]
        for path in sorted(item.path.glob("*.json")):
            if path.name != "lingopress.json":
                text = path.read_text(encoding="utf-8")
                found[field].append(record_type.model_validate_json(text))
    record = RunRecord(
        recipe=ctx.recipe,
        description=ctx.description,
        source=ctx.data.kind,
        seed=ctx.seed,
        stages=ctx.lineage,
        **{field: tuple(records) for field, records in found.items()},
    )
    report.write(record, ctx.out)
    for name, text in cards(record).items():
        path = ctx.out / "cards" / f"{file_name(name)}.md"
        path.parent.mkdir(exist_ok=True)
        if path.exists():  # names that differ in what a path cannot hold
            path = path.with_stem(f"{path.stem}-{sum(1 for _ in path.parent.iterdir())}")
        path.write_text(text, encoding="utf-8")
    models = {score.model.label for score in record.scores}
    return {"models": len(models), "scores": len(record.scores)}
