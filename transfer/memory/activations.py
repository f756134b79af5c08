"""Bytes that a forward pass keeps for the backward pass, and those of the backward pass itself.

>>> run = Pass(rows=8, length=128, trained=True, updated=0)
>>> kept(shape, run) / 1e9     # XLM-R XL
8.3
"""

from __future__ import annotations

from dataclasses import dataclass

from evalsuite.machine.model_shape import ModelShape
from transfer.memory.held_weights import FP32

_BF16 = 2
_QUERIES = 3  # queries, keys and values
# What rounding weights leaves unused in the heap: times the largest weight, at most; measured.
_UNUSED, _MOST_UNUSED = 20, 200_000_000


@dataclass(frozen=True, slots=True)
class Pass:
    """A batch that is run forward and backward.

    Attributes:
        trained: whether the weights of the linear layers are trained: then their inputs are kept.
        updated: linear layers of a layer that have a LoRA update; of each the input is kept after
            dropout, and what dropout draws.
        bf16: linear layers compute in bf16 (autocast).
        checkpointing: only inputs of layers are kept, and one layer at a time is computed again.
    """

    rows: int
    length: int
    trained: bool
    updated: int
    bf16: bool = False
    checkpointing: bool = False

    @property
    def tokens(self) -> int:
        """Of the batch, padding included."""
        return self.rows * self.length


def kept(shape: ModelShape, run: Pass) -> int:
    """Of all layers; with checkpointing each layer's input, and all of one layer."""
    if run.checkpointing:
        return run.tokens * shape.layers * shape.width * FP32 + layer_bytes(shape, run)
    return shape.layers * layer_bytes(shape, run)


def layer_bytes(shape: ModelShape, run: Pass) -> int:
    """Of one layer: what linear layers give in the precision they compute in, all else in fp32."""
    found, width = shape.kept, shape.width
    linear = _QUERIES * shape.attention + (found.units + run.trained) * shape.units
    other = (found.widths + 2 * run.updated + found.inputs * run.trained) * width
    other += shape.heads * (found.scores * run.length + found.compared)
    size = _BF16 if run.bf16 else FP32
    positions = run.rows * found.compared * shape.attention
    return run.tokens * (linear * size + other * FP32) + positions * size


def backward(shape: ModelShape, run: Pass, precision: str) -> int:
    """What a step works in.

    Gradients of activations, a weight that is brought back from its codes, weights that autocast
    rounds.
    """
    gradients = 2 * run.tokens * (shape.units + shape.width) * FP32
    if precision in ("nf4", "int8"):
        weight = shape.largest * FP32
        return gradients + weight + min(_UNUSED * weight, _MOST_UNUSED)
    return gradients + (shape.linear * _BF16 if run.bf16 and precision == "fp32" else 0)
