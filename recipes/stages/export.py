"""Export a checkpoint to a bundle, gated by how many labels stay equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from compress.precisions import PRECISIONS, Precision, Runtime
from evalsuite.errors import MissingExtraError
from evalsuite.runtimes import openvino
from recipes.errors import StageInputError
from recipes.stage import (
    HELD_OUT,
    PARALLEL,
    Artifact,
    DataNeed,
    ModelRef,
    StageConfig,
    StageContext,
    Summary,
)
from recipes.training import need, probed

if TYPE_CHECKING:
    from compress.graph_embeddings import Form

VERSION = 3
Rank = Annotated[str, Field(pattern=r"^rank-[1-9]\d*$")]


class Config(StageConfig):
    """The runtime, the precision, and the gate."""

    model: ModelRef
    runtime: Runtime = "onnxruntime"
    precision: Precision = "fp32"
    embeddings: Literal["fp32", "int8", "int4"] | Rank | None = Field(
        default=None,
        description="how the word embeddings are stored; default as the precision makes them",
    )
    max_pairs: int = Field(
        default=10_000, ge=1, description="a language, that a rank counts pieces in"
    )
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
    if config.embeddings and config.runtime != "onnxruntime":
        raise StageInputError(
            f"embeddings: bundles for {config.runtime} store them as their precision says; "
            "leave it out, or set runtime: onnxruntime"
        )
    if config.runtime == "openvino":
        try:
            openvino.require()
        except MissingExtraError as error:
            raise StageInputError(f"runtime: {error}") from None
    return Artifact("bundle", task=model.task, external=model.external, runtime=config.runtime)


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """The gate's text; for a rank the text whose pieces are counted."""
    needs: tuple[DataNeed, ...] = ()
    if config.probe:
        needs += (DataNeed(probed(config.probe_task, gives).name, "eval"),)
    return needs + ((PARALLEL, HELD_OUT) if _ranked(config) else ())


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
        embeddings=_form(config, ctx),
    )
    return facts


def _ranked(config: Config) -> bool:
    return (config.embeddings or "").startswith("rank-")


def _form(config: Config, ctx: StageContext) -> Form | None:
    """How the embeddings are stored, with the pieces' frequencies for a rank."""
    from compress.embeddings import frequencies
    from compress.graph_embeddings import Form
    from evalsuite import tokenization
    from evalsuite.runtimes import read_config
    from transfer import text

    if config.embeddings is None:
        return None
    if not _ranked(config):
        return Form(config.embeddings)
    model = ctx.input("model").path
    pairs = text.read(ctx.data, None, config.max_pairs, progress=ctx.progress).pairs
    lines = [line for _, *sides in pairs for line in sides]
    size = read_config(model)["vocab_size"]
    return Form(config.embeddings, frequencies(tokenization.load(model), lines, size))
