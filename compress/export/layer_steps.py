"""The steps of one encoder layer, for graphs that compute other tokens in it than it does itself.

>>> read = before_attention(family, layer, states)
>>> query = heads(family, config, layer, "query", read)      # [batch, heads, tokens, size]
>>> output = after_attention(family, layer, context, states)
"""

from __future__ import annotations

from typing import Any

import torch

from evalsuite.family import Family


def before_attention(family: Family, layer: Any, states: torch.Tensor) -> torch.Tensor:
    """What the attention reads: the states, or their norm."""
    if not family.layer.norm_first:
        return states
    normed: torch.Tensor = layer.get_submodule(family.layer.attention_norm)(states)
    return normed


def heads(family: Family, config: Any, layer: Any, name: str, tokens: torch.Tensor) -> torch.Tensor:
    """Queries, keys or values of tokens, `[batch, heads, tokens, size]`."""
    batch, length, _ = tokens.shape
    given: torch.Tensor = family.projections(layer)[name].linear(tokens)
    return given.view(batch, length, -1, family.head_size(config)).transpose(1, 2)


def after_attention(
    family: Family, layer: Any, context: torch.Tensor, states: torch.Tensor
) -> torch.Tensor:
    """The layer's output.

    Args:
        context: of each head, `[batch, heads, tokens, size]`.
        states: of the same tokens, `[batch, tokens, width]`.
    """
    paths = family.layer
    normal = layer.get_submodule(paths.attention_norm)
    between = layer.get_submodule(paths.feed_forward_norm)
    joined = family.attention_output(layer)(context.transpose(1, 2).flatten(2)) + states
    attended = joined if paths.norm_first else normal(joined)
    inward, outward = layer.get_submodule(paths.inward), layer.get_submodule(paths.outward)
    activation = layer.get_submodule(paths.activation)
    units = inward(between(attended) if paths.norm_first else attended)
    output: torch.Tensor = outward(activation(units)) + attended
    return output if paths.norm_first else between(output)
