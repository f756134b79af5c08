"""Export a checkpoint to a bundle, gated by how many labels stay equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from compress.precisions import PRECISIONS, Precision, Runtime
from evalsuite.errors import MissingExtraError
from evalsuite.runtimes import openvino
from recipes.errors import StageInputError
from recipes.stage import Artifact, DataNeed, ModelRef, StageConfig, StageContext, Summary
from recipes.training import need, probed

VERSION = 3


class Config(StageConfig):
    """The runtime, the precision, and the gate."""

    model: ModelRef
    runtime: Runtime = "onnxruntime"
    precision: Precision = "fp32"
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
    made = PRECISIONS[config.runtime]
    if config.precision not in made:
        others = [name for name, those in PRECISIONS.items() if config.precision in those]
        raise StageInputError(
            f"precision: {config.runtime} bundles are made in {' or '.join(made)}, "
            f"not in {config.precision}; runtime: {' or '.join(others)} makes these"
        )
    if config.runtime == "openvino":
        try:
            openvino.require()
        except MissingExtraError as error:
            raise StageInputError(f"runtime: {error}") from None
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
        runtime=config.runtime,
        precision=config.precision,
        probe=Probe(probed(config.probe_task, model.artifact), ctx.data, config.probe),
        min_agreement=config.min_agreement,
    )
    return facts
