"""Export a checkpoint to a bundle, gated by how many labels stay equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from compress.export.precisions import PRECISIONS, Precision, Runtime, Scales, by_nncf, calibrated
from evalsuite.errors import MissingExtraError
from evalsuite.results.run import StageRecord
from evalsuite.runtimes import openvino
from recipes.errors import StageInputError
from recipes.stages._shared.contract import (
    HELD_OUT,
    PARALLEL,
    Artifact,
    DataNeed,
    ModelRef,
    Noun,
    StageContext,
    Summary,
    TaskName,
)
from recipes.stages._shared.score_gate import ScoreGateConfig, hold_score
from recipes.stages._shared.training_keys import need, probed
from transfer.find_task import find_task

if TYPE_CHECKING:
    from compress.export.embedding_storage import Form

VERSION = 7
PASS = True
Rank = Annotated[str, Field(pattern=r"^rank-[1-9]\d*$"), Noun("rank-N", "rank-N")]


class Config(ScoreGateConfig):
    """The runtime, the precision, how it is reached, and the gate."""

    renamed: ClassVar[Mapping[str, str]] = {"calibration": "calibration_text"}

    model: ModelRef = Field(description="Checkpoint to export.")
    runtime: Runtime = Field(default="onnxruntime", description="Inference runtime of the bundle.")
    precision: Precision = Field(
        default="fp32",
        description="Precision of the bundle; lingopress ls runtimes NAME lists those of each "
        "runtime.",
    )
    embeddings: Literal["fp32", "int8", "int4"] | Rank | None = Field(
        default=None,
        description="Storage of the word embeddings; rank-64 (any number) factors them; default: "
        "what the precision implies.",
    )
    max_pairs: int = Field(
        default=10_000,
        ge=1,
        description="Sentence pairs per language in which pieces are counted for embeddings: "
        "rank-N.",
    )
    calibration_text: Literal["parallel", "train"] = Field(
        default="parallel",
        description="Calibration text of activation scales: parallel text, or English training "
        "rows of the probe task.",
    )
    calibration_rows: int = Field(
        default=16, ge=1, description="Rows of calibration text per language."
    )
    exclude: Literal["auto"] | tuple[str, ...] = Field(
        default=(),
        description="Parts that stay fp32 in ONNX Runtime int8, such as embeddings, head, 'layer "
        "0 attention' or 'layer 0 feed-forward'; auto: the fewest that keep the "
        "labels.",
    )
    max_drop: float | None = Field(
        default=None,
        ge=0,
        le=100,
        description="Percent of labels on calibration text that exclude: auto may change; "
        "default: 100 minus min_agreement.",
    )
    scales: Scales = Field(
        default="group",
        description="Scales of int4-weights: one per group of 32 weights, or one per tensor.",
    )
    last_layer: Literal["first-token", "whole"] = Field(
        default="first-token",
        description="What the last layer computes for pair and choice tasks: the first token, "
        "which the head reads, or the whole sequence, which alignment and retrieval "
        "need.",
    )
    probe: int = Field(
        default=64,
        ge=0,
        description="Sentences per language on which labels of bundle and checkpoint are "
        "compared; 0: no comparison.",
    )
    probe_task: TaskName | None = Field(
        default=None,
        description="Task whose evaluation text is compared; default: the task the model was "
        "trained on.",
    )
    min_agreement: float = Field(
        default=90.0,
        ge=0,
        le=100,
        description="Least share of predicted labels that must stay the same, in percent.",
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
    if config.precision == "int4-weights":
        if config.embeddings not in (None, "int8", "int4"):
            raise StageInputError(
                "embeddings: with precision: int4-weights they are int8 (the default) or int4"
            )
    elif config.embeddings and config.runtime != "onnxruntime":
        raise StageInputError(
            f"embeddings: bundles for {config.runtime} store them as their precision says; "
            "leave it out, or set runtime: onnxruntime"
        )
    nncf = by_nncf(config.runtime, config.precision)
    if config.runtime == "openvino" or nncf:
        try:
            openvino.require(*(["nncf"] if nncf else []))
        except MissingExtraError as error:
            key = "runtime" if config.runtime == "openvino" else "precision"
            raise StageInputError(f"{key}: {error}") from None
    if config.exclude and (config.runtime, config.precision) != ("onnxruntime", "int8"):
        raise StageInputError("exclude: is of runtime: onnxruntime with precision: int8")
    if config.max_drop is not None and config.exclude != "auto":
        raise StageInputError("max_drop: is of exclude: auto")
    if config.scales == "tensor":
        if (config.runtime, config.precision) != ("onnxruntime", "int4-weights"):
            raise StageInputError(
                "scales: tensor is of runtime: onnxruntime with precision: int4-weights"
            )
        if config.embeddings != "int4":
            raise StageInputError("scales: tensor takes embeddings: int4")
    if _calibrates(config) and config.calibration_text == "train":
        artifact = Artifact("bundle", task=model.task)
        if not probed(config.probe_task, artifact).learnable:
            raise StageInputError(
                "calibration_text: the probe task has no training rows; write parallel instead"
            )
    return Artifact(
        "bundle",
        task=model.task,
        external=model.external,
        runtime=config.runtime,
        shortened=config.runtime != "torch"
        and config.last_layer == "first-token"
        and model.task is not None
        and find_task(model.task).format in ("pair", "choice"),
    )


def _calibrates(config: Config) -> bool:
    return calibrated(config.runtime, config.precision) or config.exclude == "auto"


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """The gate's text, what is calibrated on, and for a rank what its pieces are counted in."""
    needs: tuple[DataNeed, ...] = ()
    if config.probe or config.max_lost is not None:
        needs = (DataNeed(probed(config.probe_task, gives).name, "eval"),)
    if _ranked(config) or (_calibrates(config) and config.calibration_text == "parallel"):
        needs += (PARALLEL, HELD_OUT)
    if _calibrates(config) and config.calibration_text == "train":
        needs += (DataNeed(probed(config.probe_task, gives).name, "train", ("en",)),)
    return needs


def run(config: Config, ctx: StageContext) -> Summary:
    """Export and compare."""
    from compress.export.calibration_text import Calibration
    from compress.export.export import Quantization, export
    from compress.export.quantize import Weights
    from evalsuite.inference.probe_text import Probe

    model = ctx.input("model")
    task = probed(config.probe_task, model.artifact)
    allowed = 100.0 - config.min_agreement if config.max_drop is None else config.max_drop
    _, facts = export(
        model.path,
        ctx.out,
        runtime=config.runtime,
        precision=config.precision,
        quantization=Quantization(
            Calibration(task, ctx.data, config.calibration_rows, config.calibration_text),
            config.exclude,
            allowed,
            Weights(config.scales, 4 if config.embeddings == "int4" else 8),
        ),
        probe=Probe(task, ctx.data, config.probe),
        min_agreement=config.min_agreement,
        embeddings=_form(config, ctx),
        whole=config.last_layer == "whole",
        lineage=made_from(ctx.lineage) or [_shown(model.label)],
    )
    step = f"{config.precision} export"
    remedy = "export in another precision"
    return facts | hold_score(config, ctx, model.path, task, step, remedy)


def _ranked(config: Config) -> bool:
    return (config.embeddings or "").startswith("rank-")


def _form(config: Config, ctx: StageContext) -> Form | None:
    """How the embeddings are stored, with the pieces' frequencies for a rank."""
    from compress.export.embedding_storage import Form
    from compress.export.low_rank import frequencies
    from evalsuite import tokenization
    from evalsuite.inference.open_model import read_config
    from transfer.text import parallel_text

    if config.embeddings is None or config.precision == "int4-weights":
        return None  # there `Weights` says how
    if not _ranked(config):
        return Form(config.embeddings)
    model = ctx.input("model").path
    pairs = parallel_text.read(ctx.data, None, config.max_pairs, progress=ctx.progress).pairs
    lines = [line for _, *sides in pairs for line in sides]
    size = read_config(model)["vocab_size"]
    return Form(config.embeddings, frequencies(tokenization.load(model), lines, size))


_TOLD = ("method", "precision")  # of a stage's config, beside its tasks


def made_from(lineage: Sequence[StageRecord]) -> list[str]:
    """What each ancestor did, oldest first.

    >>> made_from(records)
    ['train (mnli, lora, nf4) of FacebookAI/xlm-roberta-base', 'fuse']
    """
    steps = []
    names = {record.name for record in lineage}
    for record in lineage:
        tasks = record.config.get("tasks") or ()
        told = [*tasks, *(str(record.config[key]) for key in _TOLD if key in record.config)]
        outside = [_shown(label) for label in record.inputs if label not in names]
        of = f" of {', '.join(outside)}" if outside else ""
        steps.append(record.kind + (f" ({', '.join(told)})" if told else "") + of)
    return steps


def _shown(source: str) -> str:
    """A model outside, by its name; a directory of this machine is nobody's business."""
    return "a local directory" if source.startswith((".", "~", "/")) else source
