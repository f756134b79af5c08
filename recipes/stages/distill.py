"""Distil a student of fewer layers from a teacher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from recipes.errors import StageInputError
from recipes.stage import HELD_OUT, PARALLEL, Artifact, DataNeed, ModelRef, StageContext, Summary
from recipes.training import (
    TaskTrainingConfig,
    augmentation,
    known_tasks,
    need,
    same_labels,
    settings,
    tasks,
)
from recipes.training import cost as cost

VERSION = 2


class Config(TaskTrainingConfig):
    """A weight of 0 leaves its term out."""

    teacher: ModelRef
    layers: int | tuple[int, ...] = Field(description="how many, or which of the teacher's")
    logits: float = Field(default=1.0, ge=0)
    hidden: float = Field(default=1.0, ge=0)
    labels: float = Field(default=0.0, ge=0)
    temperature: float = Field(default=2.0, gt=0)
    multilingual: float = Field(
        default=0.5, ge=0, lt=1, description="share of batches that are plain multilingual text"
    )
    max_pairs: int | None = Field(default=None, ge=1)


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A checkpoint with the teacher's head."""
    (teacher,) = inputs["teacher"]
    need(teacher, "teacher", "checkpoint")
    found = known_tasks(config.tasks, labelled=True)
    if teacher.task is None and not teacher.external and (config.logits > 0 or config.labels > 0):
        raise StageInputError(
            "teacher: has no task head, so there are no logits to match; "
            "set logits: 0 and labels: 0, or train it first"
        )
    if config.logits == config.hidden == config.labels == 0:
        raise StageInputError("logits, hidden and labels are all 0; nothing would be learnt")
    if config.hidden == 0 and any(task.format == "ranking" for task in found):
        raise StageInputError("hidden: 0 leaves nothing to learn of a teacher without a head")
    same_labels(found, "teacher", teacher)
    return Artifact("checkpoint", task=teacher.task)


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """Training rows; where it is used, parallel text and what is kept out of it."""
    needs = tuple(DataNeed(task, "train", ("en",)) for task in config.tasks)
    if config.multilingual > 0 or config.code_switch > 0:
        needs += (PARALLEL, HELD_OUT)
    return needs


def run(config: Config, ctx: StageContext) -> Summary:
    """Distil."""
    from compress.distill.distill import Options, distill

    options = Options(
        layers=config.layers,
        logits=config.logits,
        hidden=config.hidden,
        labels=config.labels,
        temperature=config.temperature,
        multilingual=config.multilingual,
        batch_size=config.batch_size,
        epochs=config.epochs,
        max_steps=config.max_steps,
        max_length=config.max_length,
        max_examples=config.max_examples,
        max_pairs=config.max_pairs,
        freeze_embeddings=config.freeze_embeddings,
        settings=settings(config, ctx.seed),
        augmentation=augmentation(config),
    )
    _, facts = distill(
        ctx.input("teacher").path,
        tasks(config.tasks),
        ctx.data,
        options,
        work=ctx.work,
        out=ctx.out,
        progress=ctx.progress,
    )
    return facts
