"""What the parts of a model are, for families: sizes, paths of modules, rows of matrices.

>>> Sizes(layers=6, width=768, heads=12, feed_forward=3072).width
768

Nothing here imports torch until it is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

PARTS = ("query", "key", "value")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of a model: number of layers, width, attention heads and feed-forward units per layer."""

    layers: int
    width: int
    heads: int
    feed_forward: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What a layer keeps of a token in training, for the backward pass, in numbers.

    Attributes:
        widths: vectors of the width, whatever is trained: inputs of norms, what dropout draws.
        inputs: vectors of the width that are kept where the layer's weights are trained.
        units: vectors of the feed-forward units; where the weights are trained, one more.
        scores: numbers for each head and token of the sequence; none where attention needs no
            matrix of them.
        compared: relative positions, for each of which a head keeps a number, and a row a vector.
    """

    widths: int
    inputs: int
    units: int
    scores: int
    compared: int = 0


@dataclass(frozen=True, slots=True)
class Rows:
    """Outputs `start` to `stop` of a linear layer, which are rows of its weight matrix."""

    linear: nn.Linear
    start: int
    stop: int

    @property
    def weight(self) -> Tensor:
        """`[rows, inputs]`, a view."""
        return self.linear.weight[self.start : self.stop]

    @property
    def bias(self) -> Tensor | None:
        """`[rows]`, a view; None where the layer has no bias."""
        bias = self.linear.bias
        return None if bias is None else bias[self.start : self.stop]


@dataclass(frozen=True, slots=True)
class FeedForward:
    """The matrices of a feed-forward layer.

    Attributes:
        inward: units from the width; where the layer is gated, the units' gates too.
        outward: the width from the units.
    """

    inward: tuple[Rows, ...]
    outward: nn.Linear


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPaths:
    """Where the modules of a layer are.

    Attributes:
        attention: the module that holds all of the attention.
        query, key, value: linear layers; where they are one fused matrix, three times the same.
        relative: linear layers of positions, whose rows are cut into heads as queries and keys are;
            a model may lack some.
        output: the linear layer that joins the heads.
        inward, outward: the linear layers of the feed-forward part.
        activation: the module between them.
        gated: the inward layer gives units and as many gates, in this order.
        attention_norm, feed_forward_norm: the layer norm of each part.
        norm_first: a norm is before its part, not after the part and the residual connection.
    """

    attention: str
    query: str
    key: str
    value: str
    relative: tuple[str, ...] = ()
    output: str
    inward: str
    outward: str
    activation: str
    gated: bool = False
    attention_norm: str
    feed_forward_norm: str
    norm_first: bool = False
