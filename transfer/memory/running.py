"""What running a model takes, with nothing trained: evaluation, measurement.

>>> running(shape, "nf4").total
5012345678
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalsuite.inference.batching import ON_CPU, ON_GPU
from evalsuite.machine.memory import Memory
from evalsuite.machine.model_shape import ModelShape
from transfer.memory.held_weights import FP32, held
from transfer.memory.training import PROCESS

if TYPE_CHECKING:
    from transfer.models.checkpoints import Embeddings, Precision

_AT_ONCE = 3  # the widest activations of a layer, with what they are computed from


def running(
    shape: ModelShape,
    precision: Precision = "fp32",
    embeddings: Embeddings = "fp32",
    gpu: bool = False,
) -> Memory:
    """A model on batches of evaluation; the hidden states of all layers are held.

    Args:
        gpu: whether it runs on a GPU, where batches are larger.
    """
    widest = shape.units * (2 if shape.gated else 1) + shape.width
    values = _AT_ONCE * widest + shape.layers * shape.width
    return Memory(
        {
            "weights": held(shape, precision, embeddings),
            "activations": (ON_GPU if gpu else ON_CPU).tokens * values * FP32,
            "other": PROCESS,
        }
    )
