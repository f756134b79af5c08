"""All that a training holds at its peak, by part: weights, gradients, optimizer, activations.

>>> training = Training(method="lora", precision="nf4", batch=8, length=128)
>>> needed(shape, training).parts["weights"]
4059283456
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from evalsuite.machine.memory import Memory
from evalsuite.machine.model_shape import ModelShape
from transfer.memory.activations import Pass, backward, kept
from transfer.memory.held_weights import FP32, held
from transfer.registry import METHODS

if TYPE_CHECKING:
    from transfer.models.checkpoints import Embeddings, Precision

_MOMENTS = 2  # of Adam, per parameter
PROCESS = 450_000_000  # private pages of Python and its libraries before a model is opened
_LOGITS = 3  # the logits, their softmax and their gradient


@dataclass(frozen=True, slots=True)
class Training:
    """What decides the memory of a training.

    Attributes:
        batch: rows that are in memory at the same time.
        length: tokens of a row, at most.
        bf16: whether products are computed in bf16 (autocast).
        checkpointing: activations of layers are computed again in the backward pass.
        accumulates: gradients of several batches are added up before a step.
        masked: share of tokens that are predicted by a masked-LM head; 0 without one.
        graphs: forward passes that are kept at the same time, as of clean and of changed inputs.
        frozen_words: the word embeddings are not trained.
        options: of the method, by name.
    """

    method: str = "full"
    precision: Precision = "fp32"
    embeddings: Embeddings = "fp32"
    batch: int = 32
    length: int = 128
    bf16: bool = False
    checkpointing: bool = False
    accumulates: bool = False
    masked: float = 0.0
    graphs: int = 1
    frozen_words: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


def needed(shape: ModelShape, training: Training) -> Memory:
    """Bytes by part.

    Gradients grow while activations are let go, so a step that is not accumulated never holds all
    of both: the smaller of the two takes no room.
    """
    whole = METHODS.get(training.method).GIVES == "checkpoint"
    count = trained(shape, training)
    size = 2 if whole and training.precision == "bf16" else FP32
    run = Pass(
        rows=training.batch,
        length=training.length,
        bf16=training.bf16 or training.precision == "bf16",
        trained=whole and training.method in ("full", "last_k"),
        updated=updated(shape, training),
        checkpointing=training.checkpointing,
    )
    through = replace(shape, layers=reached(shape, training))
    gradients = count * size
    activations = training.graphs * kept(through, run) + _masked(shape, training)
    weights = held(shape, training.precision, training.embeddings)
    return Memory(
        {
            "weights": weights + (0 if whole else count * size),
            "gradients": gradients,
            "optimizer": count * size * _MOMENTS,
            "activations": activations,
            "other": PROCESS + backward(shape, run, training.precision),
        },
        apart=0 if training.accumulates else min(gradients, activations),
    )


def trained(shape: ModelShape, training: Training) -> int:
    """Parameters that a training changes; all of them where the method's file does not say."""
    count = getattr(METHODS.get(training.method), "trained", None)
    if count is None:
        return shape.parameters
    options = {**training.options, "freeze_embeddings": training.frozen_words}
    return int(count(shape, **options))


def reached(shape: ModelShape, training: Training) -> int:
    """Layers that gradients are computed of; all of them where the method's file does not say."""
    count = getattr(METHODS.get(training.method), "reached", None)
    return shape.layers if count is None else int(count(shape, **training.options))


def updated(shape: ModelShape, training: Training) -> int:
    """Linear layers of a layer that a method adds an update to."""
    count = getattr(METHODS.get(training.method), "updated", None)
    return 0 if count is None else int(count(shape, **training.options))


def _masked(shape: ModelShape, training: Training) -> int:
    """Logits of a masked-LM head: a number per piece of the vocabulary, for each masked token."""
    tokens = training.masked * training.batch * training.length
    return round(_LOGITS * FP32 * tokens * shape.vocabulary)
