"""What stages compute, from their keys, the models' shapes and the rows they read.

>>> work = training_work(config, model, [(rows, 1.0)], steps=200)
>>> work.updated / 1e9
23.5
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from evalsuite.inference.checkpoint_config import read_config
from evalsuite.machine.model_size import sizes
from evalsuite.machine.work import Backward, Batches, Predictions, Work
from evalsuite.task import Task
from recipes.stages._shared.planned_model import PlannedModel, bundle_bytes, speed
from recipes.stages._shared.planned_text import PlannedText, Rows
from recipes.stages._shared.score_gate import ScoreGateConfig
from recipes.stages._shared.training_keys import TrainingConfig
from transfer.loop.compute import resolve_compute
from transfer.memory.held_weights import FP32, held

_MOMENTS = 2  # of AdamW
_CALLS_PER_LAYER = 60  # small operations of transformers' code around a layer's products
_CALLS_PER_OPENING = 1_000_000  # of transformers' code that maps names of weights
_CALLS_PER_TRAINING = 500_000  # of the Trainer, once
_CALLS_PER_STEP = 2500  # of the Trainer, of collating and of the progress
_EXPORT_TOKENIZERS = 4  # times that one is opened for a bundle
_GRAPH_COPIES = 2  # of the weights that are written while a graph is made
_CALLS_OF_GRAPH, _CALLS_PER_TRACED_LAYER = 5_000_000, 500_000
_SNAPSHOTS = 3  # of a training that are there at the same time: two, and the one being written


def opening(model: PlannedModel, text: PlannedText, tokenizers: int = 1, models: int = 1) -> Work:
    """A model is opened, and its tokenizer, as often as that."""
    calls = models * _CALLS_PER_OPENING
    return Work(read=weights(model), text=tokenizers * text.opening(model), calls=calls)


def weights(model: PlannedModel) -> int:
    """Bytes of a model as it is stored."""
    return held(model.shape(), model.precision, model.embeddings)


def running_work(
    model: PlannedModel,
    rows: Rows,
    *,
    backward: Backward = "none",
    times: float = 1.0,
    threads: int | None = None,
) -> Work:
    """Rows run through a model in batches of an evaluation, and tokenized before.

    Args:
        times, threads: as of `Batches`.
    """
    size, length, count = rows.evaluation()
    batches = Batches(
        model.shape(), size, length, count, backward,
        times=times, on_cpu=model.on_cpu, threads=threads,
    )  # fmt: skip
    calls = count * model.shape().layers * _CALLS_PER_LAYER
    return Work((batches,), text=rows.seconds, calls=calls if times == 1.0 else 0.0)


@dataclass(frozen=True, slots=True)
class TrainedPart:
    """What is trained of a model.

    Attributes:
        parameters: that are trained.
        saved: parameters that a snapshot holds.
        backward: what gradients are computed of in the layers.
        updates: linear layers of a layer with a LoRA update.
        layers: that gradients are computed of, the upper ones; None: all.
    """

    parameters: int
    saved: int
    backward: Backward = "weights"
    updates: int = 0
    layers: int | None = None


def training_work(
    config: TrainingConfig,
    model: PlannedModel,
    rows: Sequence[tuple[Rows, float]],
    steps: float,
    part: TrainedPart | None = None,
    masked: float = 0.0,
    updates: float | None = None,
) -> Work:
    """The steps of a training, and the text they read.

    Args:
        rows: of each part of the text, with its share of the batches.
        steps: batches.
        part: default: all weights, but for the word embeddings where they are frozen.
        masked: share of tokens that a masked-LM head predicts.
        updates: steps of the optimizer; default: as `accumulate` says.
    """
    shape = model.shape()
    frozen = shape.words if getattr(config, "freeze_embeddings", False) else 0
    part = part or TrainedPart(shape.parameters - frozen, shape.parameters)
    bf16 = resolve_compute(config.compute) == "bf16"
    dropout = float(getattr(model.config, "hidden_dropout_prob", 0.0) or 0.0) > 0
    work = Work()
    for text, share in rows:
        batch = round(config.batch_size * text.per_row)
        length = text.batch_length(config.batch_size)
        count = steps * share
        upper = shape.layers if part.layers is None else part.layers
        one = Batches(
            replace(shape, layers=upper), batch, length, count, part.backward, bf16, dropout,
            updates=part.updates,
        )  # fmt: skip
        work += Work((one,), text=text.seconds)
        if lower := shape.layers - upper:
            below = replace(shape, layers=lower)
            work += Work((replace(one, shape=below, backward="none", updates=0),))
        if config.gradient_checkpointing:
            work += Work((replace(one, backward="none", updates=0),))
        if masked:
            rows_predicted = round(masked * batch * text.mean_length)
            head = Predictions(rows_predicted, shape.width, shape.vocabulary, count)
            work += Work(predictions=(head,))
    snapshot = FP32 * (part.saved + _MOMENTS * part.parameters)
    calls = 3 * shape.layers * _CALLS_PER_LAYER + _CALLS_PER_STEP
    return work + Work(
        updated=(steps / config.accumulate if updates is None else updates) * part.parameters,
        saved=snapshot / config.save_every,
        calls=steps * calls + _CALLS_PER_TRAINING,
        working=_SNAPSHOTS * snapshot,
    )


def saving(model: PlannedModel) -> Work:
    """A checkpoint with its tokenizer is written, in fp32, and hashed."""
    size = FP32 * model.shape().parameters
    return Work(written=size, read=size, output=size + tokenizer_bytes(model))


def tokenizer_bytes(model: PlannedModel) -> int:
    """Bytes of the files of a model's tokenizer, fewer where its vocabulary is trimmed."""
    if model.tokenizer is None:
        return 0
    whole = int(read_config(model.tokenizer).get("vocab_size") or model.shape().vocabulary)
    return round(sizes(model.tokenizer)[1] * min(1.0, model.shape().vocabulary / whole))


def comparing(
    models: Sequence[PlannedModel],
    task: Task,
    rows: int,
    text: PlannedText,
    *,
    scored: bool = False,
) -> Work:
    """Models run on some rows of a task's evaluation text, per language.

    Args:
        scored: as an evaluation does, with what is searched.
    """
    work = Work()
    for model in models:
        found = text.task(model, task.name, "eval", most=rows, scored=scored) if rows else None
        if found is not None:
            work += running_work(model, found, times=speed(model))
    return work


def gate(
    config: ScoreGateConfig, models: Sequence[PlannedModel], task: Task, text: PlannedText
) -> Work:
    """The comparisons of a stage that may lose some score."""
    rows = getattr(config, "probe", 0)
    work = comparing(models, task, rows, text)
    if not config.scored:
        return work
    return work + comparing(models, task, config.score_rows, text, scored=True)


def exporting(model: PlannedModel, bundle: PlannedModel, text: PlannedText, *, graph: bool) -> Work:
    """A bundle is written.

    Args:
        graph: whether the model is traced to one, and that is quantized.
    """
    size = bundle_bytes(bundle)
    done = opening(model, text, _EXPORT_TOKENIZERS, models=2)
    done += Work(written=size, read=weights(model) + size, output=size + tokenizer_bytes(model))
    if not graph:
        return done
    calls = _CALLS_OF_GRAPH + _CALLS_PER_TRACED_LAYER * model.shape().layers
    return done + Work(calls=calls, written=_GRAPH_COPIES * weights(model))
