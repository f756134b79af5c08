"""Export a checkpoint to a bundle, gated by how many labels stay equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from recipes.stage import Artifact, DataNeed, ModelRef, StageConfig, StageContext, Summary
from recipes.training import need, probed

VERSION = 2


class Config(StageConfig):
    """The runtime, the precision, and the gate."""

    model: ModelRef
    runtime: Literal["onnxruntime"] = "onnxruntime"
    precision: Literal["fp32", "int8"] = "fp32"
    probe: int = Field(
        default=64, ge=0, description="sentences a language for the parity gate; 0: no gate"
    )
    probe_task: str | None = Field(
        default=None, description="whose text that is; default the model's own task"
    )
    min_agreement: float = Field(
        default=90.0, ge=0, le=100, description="percent of labels that must stay equal"
    )


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A bundle with the checkpoint's head."""
    (model,) = inputs["model"]
    need(model, "model", "checkpoint")
    return Artifact("bundle", task=model.task, external=model.external, runtime=config.runtime)


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """The gate's text."""
    return (DataNeed(probed(config.probe_task, gives).name, "eval"),) if config.probe else ()


def run(config: Config, ctx: StageContext) -> Summary:
    """Export and compare."""
    from compress.export import export
    from evalsuite.sample import Probe

    model = ctx.input("model")
    _, facts = export(
        model.path,
        ctx.out,
        precision=config.precision,
        probe=Probe(probed(config.probe_task, model.artifact), ctx.data, config.probe),
        min_agreement=config.min_agreement,
    )
    return facts
