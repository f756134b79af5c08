"""Write a bundle for an inference runtime, and check how many labels stay equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from pydantic import Field

from compress.errors import EmbeddingsError
from compress.export.exporter import GraphExporter, rank_problem
from compress.export.kept_tokens import whole_layer
from compress.export.registry import EXPORTERS, layouts
from evalsuite.inference.task_head import head_of_task
from evalsuite.word_width import word_width
from recipes.errors import NotKnownAheadError, StageInputError
from recipes.stages._shared.contract import (
    HELD_OUT,
    PARALLEL,
    Artifact,
    DataNeed,
    ModelRef,
    StageContext,
    Summary,
)
from recipes.stages._shared.elastic_keys import CutConfig, planned_cut, refuse_cut
from recipes.stages._shared.families import refuse_runtime, refuse_unknown, shortens
from recipes.stages._shared.heads import head_format
from recipes.stages._shared.lineage import kept, made_from, shown
from recipes.stages._shared.planned_model import PlannedModel
from recipes.stages._shared.precision_keys import PrecisionKeys, check_precision
from recipes.stages._shared.score_gate import (
    LeastAgreement,
    ProbeTask,
    hold_score,
    refuse_unscored,
)
from recipes.stages._shared.token_keys import TokenKeys, check_tokens
from recipes.stages._shared.training_keys import need, probed, training_rows
from recipes.stages._shared.unused_keys import unused
from transfer.find_task import find_task

if TYPE_CHECKING:
    from compress.export.embedding_storage import Form
    from evalsuite.machine.memory import Memory
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_text import PlannedText

VERSION = 15
_POWER = 0.7  # of a piece's frequency, its weight in a rank: docs/LOG.md, 2026-11-29
_COPIES, _TRACING = 2.0, 400_000_000  # of the weights; bytes of libraries that trace a graph
PASS = True
if TYPE_CHECKING:
    Layout: TypeAlias = str
else:  # the names are those of the exporters' files
    Layout = Literal[tuple(layouts())]


class Config(PrecisionKeys, TokenKeys):
    """The runtime, the precision, how it is reached, and the gate."""

    renamed: ClassVar[Mapping[str, str]] = {"calibration": "calibration_text"}

    model: ModelRef = Field(description="Checkpoint to export.")
    cut: CutConfig | None = Field(
        default=None,
        description="Size of an elastic student that is cut out and exported; default: the "
        "model as it is.",
    )
    max_pairs: int = Field(
        default=2_000,
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
    last_layer: Literal["first-token", "whole"] = Field(
        default="first-token",
        description="What the last layer computes for pair and choice tasks: the first token, "
        "which the head reads, or the whole sequence, which alignment and retrieval "
        "need.",
    )
    layout: Layout | None = Field(
        default=None,
        description="Names and places of the files that a program expects: a library for web "
        "pages (transformers.js) or a model server.",
    )
    probe: int = Field(
        default=64,
        ge=0,
        description="Sentences per language on which labels of bundle and checkpoint are "
        "compared; 0: no comparison.",
    )
    probe_task: ProbeTask = None
    min_agreement: LeastAgreement = 90.0


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A bundle with the checkpoint's head."""
    (model,) = inputs["model"]
    need(model, "model", "checkpoint")
    check_precision(config)
    refuse_runtime(model, config.runtime, EXPORTERS.get(config.runtime).families)
    _check_layout(config, model)
    check_tokens(config, config.runtime, model, config.cut.layers if config.cut else None)
    refuse_unscored(config, config.probe_task, model)
    if config.cut is not None:
        refuse_cut(model, config.cut.layers, config.cut.ffn, "cut: ")
    if config.exclude:
        refuse_unknown(model, "exclude", "leave exclude out")
    if _calibrates(config) and config.calibration_text == "train":
        artifact = Artifact("bundle", task=model.task, head=model.head)
        if not probed(config.probe_task, artifact).learnable:
            raise StageInputError(
                "calibration_text: the probe task has no training rows; write parallel instead"
            )
    return Artifact(
        "bundle",
        task=model.task,
        external=model.external,
        family=model.family,
        head=model.head,
        runtime=config.runtime,
        tokenizer=model.tokenizer,
        shortened=bool(config.keep_tokens) or _first_token_alone(config, model),
        whole_layer=whole_layer(config.keep_tokens),
    )


def _first_token_alone(config: Config, model: Artifact) -> bool:
    """Whether the last layer computes the first token alone."""
    return (
        isinstance(EXPORTERS.get(config.runtime), GraphExporter)
        and config.last_layer == "first-token"
        and shortens(model)
        and model.task is not None
        and head_of_task(find_task(model.task)) in ("pair", "choice")
    )


def _check_layout(config: Config, model: Artifact) -> None:
    """The runtime and the head fit the layout, where the head is known."""
    if config.layout is None:
        return
    layout, head = layouts()[config.layout], head_format(model)
    if why := layout.refusal(config.runtime, head, model.family):
        raise StageInputError(f"layout: {why}")


def unused_keys(config: Config) -> list[str]:
    """Keys of text that are written where that text is not read."""
    why = f"{config.runtime} {config.precision} is not calibrated"
    there = EXPORTERS.get(config.runtime).precisions.values()
    other = f"set a calibrated precision (`lingopress ls runtimes {config.runtime}` lists them)"
    if not any(precision.calibrated for precision in there):
        other = ""
    keys: tuple[str, ...] = ("calibration_text", "calibration_rows")
    problems = unused(config, keys, why, other, off=not _calibrates(config))
    why, other = "pieces are counted for embeddings: rank-N alone", "set embeddings: rank-N"
    return problems + unused(config, ("max_pairs",), why, other, off=not _ranked(config))


def _calibrates(config: Config) -> bool:
    precision = EXPORTERS.get(config.runtime).precisions[config.precision]
    return precision.calibrated or config.exclude == "auto" or config.rounding != "nearest"


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """The gate's text, what is calibrated on, and for a rank what its pieces are counted in."""
    needs: tuple[DataNeed, ...] = ()
    if config.probe or config.scored:
        needs = (DataNeed(probed(config.probe_task, gives).name, "eval"),)
    if _ranked(config) or (_calibrates(config) and config.calibration_text == "parallel"):
        needs += (PARALLEL, HELD_OUT)
    if _calibrates(config) and config.calibration_text == "train":
        needs += (training_rows(probed(config.probe_task, gives).name),)
    return needs


def memory(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> Memory:
    """The model, its graph, and the graph as it is quantized."""
    from compress.memory import copying
    from evalsuite.machine.memory import Memory

    tracing = _TRACING if isinstance(EXPORTERS.get(config.runtime), GraphExporter) else 0
    copies = copying(_exported(config, models).shape(), _COPIES)
    return copies.and_also(Memory({"other": tracing}))


def planned(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> PlannedModel:
    """The bundle.

    Raises:
        EmbeddingsError: the rank is no less than the width of the word embeddings.
    """
    model = _exported(config, models)
    if problem := rank_problem(config.embeddings, word_width(model.config)):
        raise EmbeddingsError(problem)
    return replace(model, bundle=(config.runtime, config.precision))


def _exported(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> PlannedModel:
    """The checkpoint that is exported: the model, or a cut of it."""
    (model,) = models["model"]
    return model if config.cut is None else planned_cut(model, config.cut.layers, config.cut.ffn)


def work(
    config: Config,
    gives: Artifact,
    models: Mapping[str, tuple[PlannedModel, ...]],
    text: PlannedText,
) -> Work:
    """The graph is traced and written, and bundle and checkpoint are compared."""
    from recipes.stages._shared.planned_work import exporting, gate

    if _calibrates(config) or config.embeddings is not None:
        raise NotKnownAheadError("it is calibrated, or its embeddings are stored in another form")
    model, bundle = _exported(config, models), planned(config, models)
    task = probed(config.probe_task, gives)
    graph = isinstance(EXPORTERS.get(config.runtime), GraphExporter)
    return exporting(model, bundle, text, graph=graph) + gate(config, [model, bundle], task, text)


def run(config: Config, ctx: StageContext) -> Summary:
    """Export and compare."""
    from compress.export.calibration_text import Calibration
    from compress.export.export import export
    from compress.export.exporter import GROUP, Weights
    from compress.export.graph import ExportOptions
    from compress.gate import Least
    from evalsuite.inference.probe_text import Probe

    model = ctx.input("model")
    task = probed(config.probe_task, model.artifact)
    directory = _directory(config, ctx)
    allowed = 100.0 - config.min_agreement if config.max_drop is None else config.max_drop
    cut = [] if config.cut is None else [f"cut ({', '.join(kept(config.cut.model_dump()))})"]
    _, facts = export(
        directory,
        ctx.out,
        runtime=config.runtime,
        precision=config.precision,
        options=ExportOptions(
            Calibration(task, ctx.data, config.calibration_rows, config.calibration_text),
            config.exclude,
            allowed,
            Weights(
                config.scales,
                4 if config.embeddings == "int4" else 8,
                config.group_size or GROUP,
                config.rounding,
            ),
            _form(config, directory, ctx),
            config.last_layer == "whole",
            config.keep_tokens,
            config.layout,
        ),
        probe=Probe(task, ctx.data, config.probe),
        min_agreement=Least(config.min_agreement, config.min_agreement_per_language),
        lineage=[*(made_from(ctx.lineage) or [shown(model.label)]), *cut],
    )
    step = f"{config.precision} export"
    remedy = "keep more tokens, or " if config.keep_tokens else ""
    remedy += "export in another precision"
    return facts | hold_score(config, ctx, directory, task, step, remedy)


def _directory(config: Config, ctx: StageContext) -> Path:
    """The checkpoint that is exported; a cut is made in the stage's work directory."""
    from compress.cut.cut import cut_checkpoint

    model = ctx.input("model").path
    if config.cut is None:
        return model
    out = ctx.work / "cut"
    cut_checkpoint(model, out, layers=config.cut.layers, ffn=config.cut.ffn)
    return out


def _ranked(config: Config) -> bool:
    return (config.embeddings or "").startswith("rank-")


def _form(config: Config, model: Path, ctx: StageContext) -> Form | None:
    """How the embeddings are stored, with the pieces' frequencies for a rank."""
    from compress.export.embedding_storage import Form
    from compress.export.low_rank import frequencies
    from evalsuite import tokenization
    from evalsuite.inference.checkpoint_config import model_config
    from transfer.text import parallel_text

    precision = EXPORTERS.get(config.runtime).precisions[config.precision]
    if config.embeddings is None:
        return None
    if not _ranked(config):
        with_weights = precision.quantizes_tables or config.scales == "tensor"
        return None if with_weights else Form(config.embeddings)
    pairs = parallel_text.read(ctx.data, None, config.max_pairs, progress=ctx.progress).pairs
    lines = [line for _, *sides in pairs for line in sides]
    size = model_config(model)["vocab_size"]
    return Form(config.embeddings, frequencies(tokenization.load(model), lines, size) ** _POWER)
