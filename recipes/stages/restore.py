"""Put the pieces back that a trim removed, also into what was trained since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from recipes.stages._shared.contract import (
    Artifact,
    DataNeed,
    ModelRef,
    StageConfig,
    StageContext,
    StageInputError,
    Summary,
)
from recipes.stages._shared.families import refuse_unknown
from recipes.stages._shared.planned_model import PlannedModel
from recipes.stages._shared.training_keys import need

if TYPE_CHECKING:
    from evalsuite.machine.memory import Memory
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_text import PlannedText

VERSION = 1
_COPIES = 2.0  # of the weights
_TOKENIZERS = 2  # times that one is opened


class Config(StageConfig):
    """What is restored, and what its vocabulary was trimmed from."""

    model: ModelRef = Field(
        description="Checkpoint that stage trim wrote, or one that was trained from it."
    )
    original: ModelRef = Field(description="Checkpoint that the vocabulary was trimmed from.")
    trimmed: ModelRef = Field(description="What stage trim wrote, which lists the pieces it kept.")


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A checkpoint with the model's head and the original's vocabulary."""
    model, original = inputs["model"][0], inputs["original"][0]
    for role, artifacts in inputs.items():
        need(artifacts[0], role, "checkpoint")
        refuse_unknown(artifacts[0], role)
    if None not in (model.family, original.family) and model.family != original.family:
        raise StageInputError(
            f"original: is a {original.family}, and the model a {model.family}; name the "
            "checkpoint that the vocabulary was trimmed from"
        )
    return replace(model, tokenizer=original.tokenizer)


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """None."""
    return ()


def planned(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> PlannedModel:
    """The model with as many pieces as the original.

    Raises:
        StageInputError: they have rows of different widths.
    """
    from evalsuite.word_width import word_width

    (model,), (original,) = models["model"], models["original"]
    widths = word_width(model.config), word_width(original.config)
    if widths[0] != widths[1]:
        raise StageInputError(
            f"model: has {widths[0]} numbers per piece, and the original {widths[1]}; restore it "
            "before it is made narrower"
        )
    entries = model.config.to_dict() | {"vocab_size": original.shape().vocabulary}
    found = type(model.config).from_dict(entries)
    return replace(model, config=found, tokenizer=original.tokenizer)


def memory(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> Memory:
    """The original, and the model with its vocabulary."""
    from compress.memory import copying

    return copying(planned(config, models).shape(), _COPIES)


def work(
    config: Config,
    gives: Artifact,
    models: Mapping[str, tuple[PlannedModel, ...]],
    text: PlannedText,
) -> Work:
    """Both are opened, and one is written."""
    from recipes.stages._shared.planned_work import opening, saving

    (original,) = models["original"]
    return opening(original, text, _TOKENIZERS, models=2) + saving(planned(config, models))


def run(config: Config, ctx: StageContext) -> Summary:
    """Restore."""
    from compress.trim.restore import restore
    from evalsuite.machine.model_size import parameter_counts

    model = ctx.input("model").path
    original, trimmed = (ctx.input(role).path for role in ("original", "trimmed"))
    put_back = restore(model, original, ctx.out, trimmed=trimmed)
    return {
        "pieces put back": put_back,
        "parameters before": parameter_counts(model)[0],
        "parameters": parameter_counts(ctx.out)[0],
    }
