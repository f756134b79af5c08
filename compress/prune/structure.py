"""Cut feed-forward units out of a model, silence attention heads, and cut those before export.

>>> keep_units(model, [[0, 2, 7], [1, 2, 3]])
>>> silence_heads(model, [[0], [1]])  # exactly zero, and stays so in training
>>> drop_silent_heads(model)  # the same outputs from less work
24768

A config says how many units a layer has, one number for all, and that heads
times head size is the width. So units go from the checkpoint, as many in every layer, while a head
that is removed becomes zeros: in its query, key, value and output, which no gradient then reaches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn

from evalsuite.family_parts import Rows
from evalsuite.find_family import family_of, find


def keep_units(model: Any, kept: Sequence[Sequence[int]]) -> None:
    """Keep these feed-forward units of each layer, as many in all, in place."""
    family = family_of(model)
    (count,) = {len(own) for own in kept}
    for layer, own in zip(family.layers(model), kept, strict=True):
        feed = family.feed_forward(layer)
        _keep_rows(feed.inward, own)
        _keep_columns(feed.outward, own)
    setattr(model.config, family.feed_forward_key, count)


def silence_heads(model: Any, silent: Sequence[Iterable[int]]) -> None:
    """Set these heads of each layer to zero, in place.

    With values and their way out both zero the gradient of either is zero too, and of query and
    key with them: training afterwards keeps the head silent.
    """
    family = family_of(model)
    size = family.head_size(model.config)
    with torch.no_grad():
        for layer, heads in zip(family.layers(model), silent, strict=True):
            for head in heads:
                span = slice(head * size, (head + 1) * size)
                for rows in family.head_rows(layer):
                    rows.weight[span] = 0
                    if rows.bias is not None:
                        rows.bias[span] = 0
                family.attention_output(layer).weight[:, span] = 0


def silent_heads(model: Any) -> list[list[int]]:
    """Heads of each layer that nothing of reaches its output."""
    family = family_of(model)
    size = family.head_size(model.config)
    found = []
    for layer in family.layers(model):
        largest = family.attention_output(layer).weight.detach().abs().amax(0)
        by_head = largest.view(-1, size).amax(-1)
        found.append([head for head, value in enumerate(by_head.tolist()) if value == 0])
    return found


def silent_parameters(model: Any) -> int:
    """Parameters that are zeros of silent heads."""
    family = family_of(model)
    count = 0
    for layer, silent in zip(family.layers(model), silent_heads(model), strict=True):
        columns = family.attention_output(layer).weight.shape[0]
        rows = [one.weight.shape[1] + (one.bias is not None) for one in family.head_rows(layer)]
        count += len(silent) * family.head_size(model.config) * int(columns + sum(rows))
    return count


def drop_silent_heads(model: Any) -> int:
    """Cut silent heads out of a model in memory; how many parameters that took away.

    The outputs stay as they are. At least one head a layer remains. No config describes what is
    left, so this is for a model that is about to be traced, not saved. Nothing is cut out of a
    model whose family is not known.
    """
    family = find(model)
    if family is None:
        return 0
    before = _count(model)
    size, heads = family.head_size(model.config), model.config.num_attention_heads
    for layer, silent in zip(family.layers(model), silent_heads(model), strict=True):
        kept = [head for head in range(heads) if head not in silent] or [0]
        if len(kept) == heads:
            continue
        chosen = [column for head in kept for column in range(head * size, (head + 1) * size)]
        _keep_rows(family.head_rows(layer), chosen)
        _keep_columns(family.attention_output(layer), chosen)
        family.note_heads(layer, len(kept), size)
    return before - _count(model)


def heads_of(model: Any) -> list[int]:
    """How many heads each layer has."""
    family = family_of(model)
    size = family.head_size(model.config)
    return [
        family.attention_output(layer).weight.shape[1] // size for layer in family.layers(model)
    ]


def _count(model: Any) -> int:
    return sum(int(p.numel()) for p in model.parameters())


def _keep_rows(parts: Sequence[Rows], chosen: Sequence[int]) -> None:
    """Keep these rows of each part; parts of one linear layer are all its rows."""
    kept: dict[nn.Linear, list[int]] = {}
    for part in parts:
        kept.setdefault(part.linear, []).extend(part.start + row for row in chosen)
    for linear, rows in kept.items():
        places = torch.tensor(rows, device=linear.weight.device)
        linear.weight = nn.Parameter(linear.weight.detach().index_select(0, places))
        if linear.bias is not None:
            linear.bias = nn.Parameter(linear.bias.detach().index_select(0, places))
        linear.out_features = len(rows)


def _keep_columns(linear: nn.Linear, chosen: Sequence[int]) -> None:
    places = torch.tensor(chosen, device=linear.weight.device)
    linear.weight = nn.Parameter(linear.weight.detach().index_select(1, places))
    linear.in_features = len(chosen)
