"""The shape of a model and its parameters by part, from its config alone.

>>> shape = ModelShape.of(config_of(read_config(directory)))     # XLM-R XL
>>> round(shape.words / 1e6), round(shape.linear / 1e6), round(shape.parameters / 1e6)
(642, 2831, 3482)

Counted as the family says; `tests/evalsuite/test_model_shape.py` holds the counts to those of
transformers' own classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evalsuite.family_parts import Kept
from evalsuite.find_family import family_of, named
from evalsuite.word_width import word_width

_NORMS = 2  # of a layer


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Sizes, and parameters by part.

    Attributes:
        family: name of the model's family.
        layers, width, heads, units: number of layers, width, attention heads and feed-forward units
            of a layer.
        attention: width of all heads of a layer.
        gated: whether a layer has as many gates as units.
        vocabulary: pieces.
        words: parameters of the word embeddings.
        linear: weights of the linear layers in the stack, which bitsandbytes quantizes.
        biases: of the layers, their norms among them.
        tables: all else in the encoder: other embeddings, and what is outside the layers.
        head: parameters of the pooler and the task head.
        kept: what a layer keeps of a token in training.
    """

    family: str
    layers: int
    width: int
    heads: int
    units: int
    attention: int
    gated: bool
    vocabulary: int
    words: int
    linear: int
    biases: int
    tables: int
    head: int
    kept: Kept

    @classmethod
    def of(cls, config: Any, head: str | None = None, labels: int = 2) -> ModelShape:
        """Of a transformers config.

        Args:
            head: format of the task head; None for an encoder, which may have a pooler.
            labels: that the head gives.

        Raises:
            UnknownNameError: no file describes the model's family.
        """
        family = family_of(config)
        sizes = family.sizes(config)
        width, units = sizes.width, sizes.feed_forward
        attention = sizes.heads * family.head_size(config)
        matrices = 3 if family.layer.gated else 2
        layer = (4 + family.position_projections(config)) * width * attention
        layer += matrices * width * units
        biases = 3 * attention + (matrices - 1) * units + 2 * width + _NORMS * 2 * width
        narrow = word_width(config)
        side = narrow if family.narrow_tables else width
        types = int(getattr(config, "type_vocab_size", 0) or 0)
        tables = family.position_rows(config) * side + types * narrow + 2 * side
        dense = width * width if head is None or head in family.dense_heads else 0
        return cls(
            family=family.name,
            layers=sizes.layers,
            width=width,
            heads=sizes.heads,
            units=units,
            attention=attention,
            gated=family.layer.gated,
            vocabulary=int(config.vocab_size),
            words=int(config.vocab_size) * narrow,
            linear=sizes.layers * layer,
            biases=sizes.layers * biases,
            tables=tables + family.outside_layers(config),
            head=dense + width * labels,
            kept=family.kept_of(config),
        )

    @property
    def parameters(self) -> int:
        """Of the whole model."""
        return self.words + self.linear + self.biases + self.tables + self.head

    def linear_layers(self) -> dict[str, tuple[int, int]]:
        """Path in a layer -> inputs and outputs of the linear layer there.

        Those of relative positions are left out.
        """
        paths, width = named(self.family).layer, self.width
        fused = paths.query == paths.key
        attention = self.attention * (3 if fused else 1)
        return {
            **dict.fromkeys((paths.query, paths.key, paths.value), (width, attention)),
            paths.output: (self.attention, width),
            paths.inward: (width, self.units * (2 if self.gated else 1)),
            paths.outward: (self.units, width),
        }

    @property
    def largest(self) -> int:
        """Weights of the largest linear layer of the stack."""
        return max(inputs * outputs for inputs, outputs in self.linear_layers().values())
