"""Bytes of a model's weights in each precision.

>>> held(shape, "nf4", "int8")     # XLM-R XL: linear layers in 4 bits, word embeddings in 8
2168652800
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from evalsuite.machine.model_shape import ModelShape

if TYPE_CHECKING:
    from transfer.models.checkpoints import Embeddings, Precision

FP32 = 4
# Of a weight. NF4 has a scale of one byte per 64 weights, and one of four bytes per 256 scales.
LINEAR: Mapping[str, float] = {"fp32": 4, "bf16": 2, "int8": 1, "nf4": 0.5 + 1 / 64 + 1 / 4096}
_WORDS: Mapping[str, float] = {"fp32": 4, "bf16": 2, "int8": 1, "int4": 0.5}


def held(shape: ModelShape, precision: Precision = "fp32", embeddings: Embeddings = "fp32") -> int:
    """Of a whole model.

    Args:
        precision: of the linear layers; the rest of a quantized model stays in fp32.
        embeddings: of the word embeddings.
    """
    other = 2 if precision == "bf16" else FP32
    rest = shape.biases + shape.tables + shape.head
    words = min(_WORDS[embeddings], other) if embeddings == "fp32" else _WORDS[embeddings]
    return round(shape.linear * LINEAR[precision] + rest * other + shape.words * words)
