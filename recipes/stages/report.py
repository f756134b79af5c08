"""Write one report of scores, speed and the cost of every stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from evalsuite.results.search import Search
from recipes.stages._shared.contract import (
    Artifact,
    DataNeed,
    ModelRefs,
    StageConfig,
    StageContext,
    Summary,
)
from recipes.stages._shared.read_measurements import RECORDS, read
from recipes.stages._shared.training_keys import need

if TYPE_CHECKING:
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_model import PlannedModel
    from recipes.stages._shared.planned_text import PlannedText

VERSION = 18
_CALLS, _BYTES = 600_000, 160_000  # of a report of a few models
LABELS_MATTER = True


class Config(StageConfig):
    """Which measurements to show."""

    results: ModelRefs = Field(
        min_length=1,
        description="Stages whose measurements are shown: evaluate, benchmark, alignment or "
        "fertility.",
    )
    search: Search | None = Field(
        default=None,
        description="Record of the trials of a search; filled in by a recipe with search, not "
        "written by hand.",
    )


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A report."""
    for artifact in inputs["results"]:
        need(artifact, "results", *RECORDS)
    return Artifact("report")


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """No rows are read."""
    return ()


def work(
    config: Config,
    gives: Artifact,
    models: Mapping[str, tuple[PlannedModel, ...]],
    text: PlannedText,
) -> Work:
    """Tables and charts."""
    from evalsuite.machine.work import Work

    return Work(calls=_CALLS, output=_BYTES, written=_BYTES)


def run(config: Config, ctx: StageContext) -> Summary:
    """Write report.html, report.md, report.json, summary.txt, and cards/: of systems, of models.

    The cards are written here, where declared tasks are known, and found by label later.
    """
    from evalsuite.report.figures.trials import score_trials
    from evalsuite.report.output import page
    from evalsuite.report.output.cards import cards, model_cards
    from evalsuite.results.run import RunRecord
    from recipes.naming import distinct_file_name

    record = RunRecord(
        recipe=ctx.recipe,
        description=ctx.description,
        source=ctx.data.kind,
        seed=ctx.seed,
        stages=ctx.lineage,
        search=config.search,
        **read((item.artifact.kind, item.path) for item in ctx.inputs["results"]),
    )
    record = score_trials(record)
    page.write(record, ctx.out)
    for name, text in (cards(record) | model_cards(record)).items():
        path = ctx.out / "cards" / f"{distinct_file_name(name)}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    models = {score.model.label for score in record.scores}
    return {"models": len(models), "scores": len(record.scores)}
