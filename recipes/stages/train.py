"""Train a checkpoint on one task, on several with one head each, on masked text, or on both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from recipes.errors import StageInputError
from recipes.stage import HELD_OUT, PARALLEL, Artifact, DataNeed, ModelRef, StageContext, Summary
from recipes.steering import SteeringConfig, check_steering, processes, steering
from recipes.training import augmentation, known_tasks, need, settings, tasks
from recipes.training import cost as cost

VERSION = 1


class Config(SteeringConfig):
    """One task gives that task's head; several or none give the encoder, which is what goes on."""

    model: ModelRef
    method: str = "lora"
    precision: Literal["fp32", "bf16", "int8", "nf4"] = Field(
        default="fp32", description="of the base's linear layers while it is trained"
    )
    embeddings: Literal["fp32", "bf16"] = Field(
        default="fp32", description="precision of the base's embeddings, stated apart"
    )
    languages: tuple[str, ...] = ("en",)
    pooling: Literal["mean", "cls"] = Field(
        default="mean", description="of query and passage, where these are matched"
    )
    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    targets: tuple[str, ...] = ("query", "value")


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """An adapter or a checkpoint, by the method."""
    from evalsuite.errors import UnknownNameError
    from transfer import methods

    (model,) = inputs["model"]
    need(model, "model", "checkpoint")
    found = known_tasks(config.tasks, labelled=True)
    check_steering(config, found)
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
    return Artifact(gives, task=found[0].name if len(found) == 1 else None)


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """The tasks' training splits, and the parallel text where it is read."""
    rows = tuple(DataNeed(task, "train", config.languages) for task in config.tasks)
    if config.evaluate_every is not None and config.dev_rows == "split":
        rows += tuple(DataNeed(task, "dev", ("en",)) for task in config.tasks)
    return (*rows, PARALLEL, HELD_OUT) if config.code_switch or config.mlm else rows


def run(config: Config, ctx: StageContext) -> Summary:
    """Train."""
    from transfer.supervised import Options, Trained, train
    from transfer.team import together

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
        **steering(config),
    )
    what = (ctx.input("model").path, tasks(config.tasks), ctx.data, options)
    count = processes(config)
    if count == 1:
        return train(*what, work=ctx.work, out=ctx.out, progress=ctx.progress).facts
    trained: Trained = together(count, train, what, ctx.progress, work=ctx.work, out=ctx.out)
    return {**trained.facts, "processes": count}
