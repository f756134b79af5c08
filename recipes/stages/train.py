"""Train a checkpoint on one task, or on several with one head each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from recipes.errors import StageInputError
from recipes.stage import (
    HELD_OUT,
    PARALLEL,
    AdapterFacts,
    Artifact,
    DataNeed,
    ModelRef,
    StageContext,
    Summary,
)
from recipes.training import (
    TaskTrainingConfig,
    augmentation,
    known_tasks,
    need,
    settings,
    tasks,
)
from recipes.training import cost as cost

VERSION = 1


class Config(TaskTrainingConfig):
    """One task gives that task's head; several give the encoder, which is what goes on."""

    model: ModelRef
    method: str = "lora"
    precision: Literal["fp32", "bf16", "int8", "nf4"] = Field(
        default="fp32", description="of the base's linear layers while it is trained"
    )
    embeddings: Literal["fp32", "bf16", "int8", "int4"] = Field(
        default="fp32",
        description="what the base's embeddings are held in; int8, int4: rows with a scale each",
    )
    languages: tuple[str, ...] = ("en",)
    pooling: Literal["mean", "cls"] = Field(
        default="mean", description="of query and passage, where these are matched"
    )
    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    targets: tuple[str, ...] = ("query", "value")
    cap: int | None = Field(default=None, ge=1, description="examples counted when mixing tasks")


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """An adapter or a checkpoint, by the method."""
    from evalsuite.errors import UnknownNameError
    from transfer import methods

    (model,) = inputs["model"]
    need(model, "model", "checkpoint")
    found = known_tasks(config.tasks, labelled=True)
    if len(found) > 1:
        for task in found:
            if task.format == "ranking":
                raise StageInputError(f"tasks: {task.name} has no head and is trained alone")
    try:
        gives = methods.get(config.method).GIVES
    except UnknownNameError as error:
        raise StageInputError(str(error)) from None
    if gives == "checkpoint" and config.precision in ("int8", "nf4"):
        raise StageInputError(
            f"method: {config.method} trains every weight, and {config.precision} weights cannot "
            "be trained; use method: lora, or precision: fp32 or bf16"
        )
    if gives == "checkpoint" and config.embeddings != "fp32":
        raise StageInputError(
            f"embeddings: {config.embeddings} freezes them; method: {config.method} trains them"
        )
    if gives == "adapter" and config.quantize_aware:
        raise StageInputError(
            "quantize_aware: an adapter leaves its base as it is; use method: full, or set it on "
            "the distill stage"
        )
    head = found[0].name if len(found) == 1 else None
    if gives == "checkpoint":
        return Artifact(gives, task=head)
    facts = AdapterFacts(model, config.method, config.precision, config.embeddings, config.rank)
    return Artifact(gives, task=head, adapter=facts)


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """The tasks' training splits, and the parallel text where words are translated."""
    rows = tuple(DataNeed(task, "train", config.languages) for task in config.tasks)
    return (*rows, PARALLEL, HELD_OUT) if config.code_switch else rows


def run(config: Config, ctx: StageContext) -> Summary:
    """Train."""
    from transfer.supervised import Options, train

    options = Options(
        method=config.method,
        precision=config.precision,
        embeddings=config.embeddings,
        batch_size=config.batch_size,
        epochs=config.epochs,
        max_steps=config.max_steps,
        max_length=config.max_length,
        max_examples=config.max_examples,
        languages=config.languages,
        augmentation=augmentation(config),
        pooling=config.pooling,
        settings=settings(config, ctx.seed),
        method_options={
            "rank": config.rank,
            "alpha": config.alpha,
            "dropout": config.dropout,
            "targets": config.targets,
            "freeze_embeddings": config.freeze_embeddings,
        },
        cap=config.cap,
        quantize_aware=config.quantize_aware,
    )
    trained = train(
        ctx.input("model").path,
        tasks(config.tasks),
        ctx.data,
        options,
        work=ctx.work,
        out=ctx.out,
        progress=ctx.progress,
    )
    return trained.facts
