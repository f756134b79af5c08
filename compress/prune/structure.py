"""Cut feed-forward units out of a model, silence attention heads, and cut those before export.

>>> keep_units(model, [[0, 2, 7], [1, 2, 3]])
>>> silence_heads(model, [[0], [1]])  # exactly zero, and stays so in training
>>> drop_silent_heads(model)  # the same outputs from less work
24768

A config of the BERT family says how many units a layer has, one number for all, and that heads
times head size is the width. So units go from the checkpoint, as many in every layer, while a head
that is removed becomes zeros: in its query, key, value and output, which no gradient then reaches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn

from compress.errors import PruneError


def layers_of(model: Any) -> list[Any]:
    """The stack of layers.

    Raises:
        PruneError: it has none of the BERT family.
    """
    if layers := _layers(model):
        return layers
    raise PruneError(
        f"{type(model).__name__} has no encoder.layer list with an intermediate layer each; "
        "pruning needs an encoder of the BERT family"
    )


def _layers(model: Any) -> list[Any]:
    layers = list(getattr(getattr(model.base_model, "encoder", None), "layer", ()))
    plain = all(
        hasattr(layer, "intermediate") and hasattr(getattr(layer, "attention", None), "output")
        for layer in layers
    )
    return layers if plain else []


def head_size(model: Any) -> int:
    """Columns of a head."""
    return int(model.config.hidden_size // model.config.num_attention_heads)


def keep_units(model: Any, kept: Sequence[Sequence[int]]) -> None:
    """Keep these feed-forward units of each layer, as many in all, in place."""
    (width,) = {len(own) for own in kept}
    for layer, own in zip(layers_of(model), kept, strict=True):
        chosen = torch.tensor(own, device=layer.output.dense.weight.device)
        layer.intermediate.dense = _cut(layer.intermediate.dense, chosen, 0)
        layer.output.dense = _cut(layer.output.dense, chosen, 1)
    model.config.intermediate_size = width


def silence_heads(model: Any, silent: Sequence[Iterable[int]]) -> None:
    """Set these heads of each layer to zero, in place.

    With values and their way out both zero the gradient of either is zero too, and of query and
    key with them: training afterwards keeps the head silent.
    """
    size = head_size(model)
    with torch.no_grad():
        for layer, heads in zip(layers_of(model), silent, strict=True):
            attention = layer.attention
            for head in heads:
                span = slice(head * size, (head + 1) * size)
                for linear in _inputs(attention):
                    linear.weight[span] = 0
                    linear.bias[span] = 0
                attention.output.dense.weight[:, span] = 0


def silent_heads(model: Any) -> list[list[int]]:
    """Heads of each layer that nothing of reaches its output."""
    size = head_size(model)
    found = []
    for layer in layers_of(model):
        largest = layer.attention.output.dense.weight.detach().abs().amax(0)
        by_head = largest.unflatten(0, (-1, size)).amax(-1)
        found.append([head for head, value in enumerate(by_head.tolist()) if value == 0])
    return found


def drop_silent_heads(model: Any) -> int:
    """Cut silent heads out of a model in memory; how many parameters that took away.

    The outputs stay as they are. At least one head a layer remains. No config describes what is
    left, so this is for a model that is about to be traced, not saved.
    """
    if not _layers(model):
        return 0
    before = _count(model)
    size, heads = head_size(model), model.config.num_attention_heads
    for layer, silent in zip(layers_of(model), silent_heads(model), strict=True):
        kept = [head for head in range(heads) if head not in silent] or [0]
        if len(kept) == heads:
            continue
        attention = layer.attention
        chosen = torch.cat([torch.arange(head * size, (head + 1) * size) for head in kept])
        chosen = chosen.to(attention.output.dense.weight.device)
        own = attention.self
        own.query, own.key, own.value = (_cut(linear, chosen, 0) for linear in _inputs(attention))
        own.num_attention_heads, own.all_head_size = len(kept), len(chosen)
        attention.output.dense = _cut(attention.output.dense, chosen, 1)
    return before - _count(model)


def heads_of(model: Any) -> list[int]:
    """How many heads each layer has."""
    return [int(layer.attention.self.num_attention_heads) for layer in layers_of(model)]


def _count(model: Any) -> int:
    return sum(int(p.numel()) for p in model.parameters())


def _inputs(attention: Any) -> tuple[nn.Linear, nn.Linear, nn.Linear]:
    return attention.self.query, attention.self.key, attention.self.value


def _cut(linear: nn.Linear, chosen: torch.Tensor, dim: int) -> nn.Linear:
    """The linear layer with these outputs (dim 0) or inputs (dim 1) alone."""
    weight = linear.weight.detach().index_select(dim, chosen)
    small = nn.Linear(weight.shape[1], weight.shape[0], linear.bias is not None)
    small.weight = nn.Parameter(weight)
    if linear.bias is not None:
        bias = linear.bias.detach()
        small.bias = nn.Parameter(bias.index_select(0, chosen) if dim == 0 else bias.clone())
    return small.train(linear.training)
