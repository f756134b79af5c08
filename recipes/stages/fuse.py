"""Fuse an adapter into its base, onto the dequantized weights it was trained against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from recipes.data import find_task
from recipes.errors import StageInputError
from recipes.stage import Artifact, DataNeed, ModelRef, StageConfig, StageContext, Summary
from recipes.training import need, probed

VERSION = 1


class Config(StageConfig):
    """Where the adapter is merged, and how much text the drift is measured on."""

    model: ModelRef
    onto: Literal["dequantized", "original"] = "dequantized"
    probe: int = Field(
        default=32, ge=0, description="sentences a language the drift is measured on"
    )
    probe_task: str | None = Field(
        default=None, description="whose text that is; default the model's own task"
    )


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A checkpoint with the adapter's head."""
    (model,) = inputs["model"]
    if model.kind == "checkpoint":
        raise StageInputError(
            "model: is a whole checkpoint already, there is no adapter to fuse; "
            "leave this stage out"
        )
    need(model, "model", "adapter")
    return Artifact("checkpoint", task=model.task)


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """The text the drift is measured on."""
    return (DataNeed(probed(config.probe_task, gives).name, "eval"),) if config.probe else ()


def run(config: Config, ctx: StageContext) -> Summary:
    """Fuse and measure the drift."""
    from compress.fuse import fuse
    from evalsuite.sample import Probe

    model = ctx.input("model")
    task = find_task(model.artifact.task) if model.artifact.task else None
    fused = fuse(
        model.path,
        task,
        ctx.out,
        onto=config.onto,
        probe=Probe(probed(config.probe_task, model.artifact), ctx.data, config.probe),
    )
    summary: Summary = {"onto": config.onto, "base precision": fused.precision}
    for onto, drift in fused.drift.items():
        summary |= drift.facts(f"{onto}: ")
    return summary
