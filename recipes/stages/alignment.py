"""Measure how close each language's sentences lie to English, per layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from evalsuite.static.kind import MODEL_TYPE
from recipes.errors import StageInputError
from recipes.stages._shared.adapter_task import AdapterTask, with_task
from recipes.stages._shared.contract import (
    Artifact,
    DataNeed,
    LanguageCode,
    ModelRefs,
    StageConfig,
    StageContext,
    Summary,
    TaskName,
)
from recipes.stages._shared.labelled_rows import refuse_unknown_languages
from recipes.stages._shared.open_input import open_input
from recipes.stages._shared.planned_model import PlannedModel, running_memory
from recipes.stages._shared.training_keys import (
    known_tasks,
    need,
    refuse_head_alone,
    refuse_shortened,
)
from transfer.find_task import find_task

if TYPE_CHECKING:
    from evalsuite.machine.memory import Memory

VERSION = 4
LABELS_MATTER = True


class Config(StageConfig):
    """A checkpoint and its descendants: the first model is what the others are compared with."""

    models: ModelRefs = Field(
        min_length=1, description="Models to measure; the first is the reference."
    )
    task: TaskName = Field(default="tatoeba", description="Task whose parallel sentences are read.")
    languages: tuple[LanguageCode, ...] | None = Field(
        default=None, description="Language codes to measure; default: all languages of the task."
    )
    pooling: Literal["mean", "cls"] = Field(
        default="mean",
        description="How token vectors become one sentence vector: their mean, or the first token.",
    )
    max_examples: int | None = Field(
        default=500,
        ge=4,
        description="Sentence pairs per language, taken from the start; null: all pairs.",
    )
    adapter_task: AdapterTask = None


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """Figures by layer."""
    (task,) = known_tasks((config.task,))
    if task.format != "retrieval":
        raise StageInputError(f"task: {task.name} has no parallel sentences; give tatoeba")
    refuse_unknown_languages(config.languages, {task.name: task.languages})
    for artifact in inputs["models"]:
        need(artifact, "models", "checkpoint", "bundle", "adapter", "prompt")
        with_task(artifact, config.adapter_task)
        refuse_head_alone(artifact, "models")
        if artifact.family == MODEL_TYPE:
            raise StageInputError("models: a static model has no layers to compare; leave it out")
        refuse_shortened(artifact, "models", "alignment is measured up to the last layer")
    return Artifact("alignment")


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """The sentences."""
    return (DataNeed(config.task, "eval", config.languages),)


def memory(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> Memory:
    """What the largest model takes while it runs."""
    return running_memory(models["models"])


def run(config: Config, ctx: StageContext) -> Summary:
    """One file a model."""
    from evalsuite.alignment.measure import measure

    found = measure(
        [(model.label, open_input(model, config.adapter_task)) for model in ctx.inputs["models"]],
        find_task(config.task),
        ctx.data,
        languages=config.languages,
        pooling=config.pooling,
        max_examples=config.max_examples,
        progress=ctx.progress,
    )
    summary: Summary = {}
    for number, result in enumerate(found):
        (ctx.out / f"{number:02d}.json").write_text(result.model_dump_json(), encoding="utf-8")
        summary[f"{result.model.label} retrieval, best layer"] = round(result.best()[1], 2)
    return summary
