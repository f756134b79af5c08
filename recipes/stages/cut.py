"""Cut one of its sizes out of an elastic student, as a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from recipes.stages._shared.contract import (
    Artifact,
    CutSizes,
    DataNeed,
    ModelRef,
    StageConfig,
    StageContext,
    Summary,
)
from recipes.stages._shared.elastic_keys import planned_cut, refuse_cut
from recipes.stages._shared.planned_model import PlannedModel
from recipes.stages._shared.training_keys import need

if TYPE_CHECKING:
    from evalsuite.machine.memory import Memory
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_text import PlannedText

VERSION = 2
PASS = True
_COPIES = 2.0  # of the weights


class Config(StageConfig):
    """The elastic student and the size."""

    model: ModelRef = Field(description="Elastic student: a checkpoint distilled with elastic.")
    layers: int | None = Field(
        default=None, ge=1, description="Number of layers; default: all of the student's."
    )
    ffn: int | None = Field(
        default=None,
        ge=1,
        description="Feed-forward units per layer; default: all of the student's.",
    )


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A checkpoint with the student's head."""
    (model,) = inputs["model"]
    need(model, "model", "checkpoint")
    refuse_cut(model, config.layers, config.ffn)
    return replace(model, cuts=CutSizes((), ()))


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """None."""
    return ()


def planned(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> PlannedModel:
    """The cut."""
    return planned_cut(models["model"][0], config.layers, config.ffn)


def memory(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> Memory:
    """The student and its cut."""
    from compress.memory import copying

    return copying(models["model"][0].shape(), _COPIES)


def work(
    config: Config,
    gives: Artifact,
    models: Mapping[str, tuple[PlannedModel, ...]],
    text: PlannedText,
) -> Work:
    """The student is opened, and the cut written."""
    from recipes.stages._shared.planned_work import opening, saving

    return opening(models["model"][0], text, 1) + saving(planned(config, models))


def run(config: Config, ctx: StageContext) -> Summary:
    """Cut."""
    from compress.cut.cut import cut_checkpoint
    from evalsuite.machine.model_size import parameter_counts

    model = ctx.input("model").path
    chosen = cut_checkpoint(model, ctx.out, layers=config.layers, ffn=config.ffn)
    return {
        "layers kept": ", ".join(map(str, chosen.layers)),
        "units a layer": chosen.ffn,
        "parameters before": parameter_counts(model)[0],
        "parameters": parameter_counts(ctx.out)[0],
    }
