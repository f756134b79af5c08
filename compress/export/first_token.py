"""Trace a head that reads `<s>` alone with a last layer that computes `<s>` alone.

>>> with first_token_alone(model, sample) as shortened:
...     exported = exporter.export(model, sample)

The heads of pairs and of choices read only the first token's state. So the logits need the last
layer's keys and values, and the queries, projection and feed-forward of that one token. The rest,
ten of the twelve products of a layer, is a seventh of the cost of six layers, and over a quarter of
the cost of three. Lost are the last hidden states of all other tokens.

Models whose last layer is not a plain BERT layer, or whose head reads more, are traced unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

_TOLERANCE = 1e-4  # of the largest logit; heads that read more tokens differ by far more


@contextmanager
def first_token_alone(model: Any, sample: dict[str, torch.Tensor]) -> Iterator[bool]:
    """Shorten the last layer inside the `with` block; its states are `[batch, 1, width]` there.

    Args:
        model: a transformers model in eval mode.
        sample: `input_ids` and `attention_mask`; the logits of both ways are compared on these,
            some tokens masked.

    Yields:
        whether it is shortened.
    """
    layer = _last_layer(model)
    if layer is None:
        yield False
        return
    whole = _logits(model, sample)
    layer.forward = lambda states, mask=None, *_, **named: _first(
        layer, states, named.get("attention_mask", mask)
    )
    try:
        difference = (_logits(model, sample) - whole).abs().max()
        if same := bool(difference <= _TOLERANCE * whole.abs().max()):
            yield True
    finally:
        del layer.forward
    if not same:
        yield False


def _first(layer: Any, states: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """The layer's output for the first token, `[batch, 1, width]`."""
    attention, first = layer.attention, states[:, :1]
    projections = attention.self

    def heads(linear: Any, tokens: torch.Tensor) -> torch.Tensor:
        batch, length, _ = tokens.shape
        split: torch.Tensor = linear(tokens).view(
            batch, length, -1, projections.attention_head_size
        )
        return split.transpose(1, 2)

    context = scaled_dot_product_attention(
        heads(projections.query, first),
        heads(projections.key, states),
        heads(projections.value, states),
        attn_mask=None if mask is None else mask[:, :, :1],
    )
    attended = attention.output(context.transpose(1, 2).flatten(2), first)
    output: torch.Tensor = layer.output(layer.intermediate(attended), attended)
    return output


def _logits(model: Any, sample: dict[str, torch.Tensor]) -> torch.Tensor:
    mask = sample["attention_mask"].clone()
    mask[0, ..., mask.shape[-1] // 2 :] = 0
    with torch.no_grad():
        logits: torch.Tensor = model(**sample | {"attention_mask": mask}).logits
    return logits


def _last_layer(model: Any) -> Any:
    """The last layer, where it is a plain BERT layer and the head is one of sequences."""
    if not type(model).__name__.endswith(("ForSequenceClassification", "ForMultipleChoice")):
        return None
    layers = list(getattr(getattr(model.base_model, "encoder", None), "layer", ()))
    if not layers or not all(hasattr(layers[-1], name) for name in ("intermediate", "output")):
        return None
    attention = getattr(getattr(layers[-1], "attention", None), "self", None)
    plain = all(
        hasattr(attention, name) for name in ("query", "key", "value", "attention_head_size")
    )
    return layers[-1] if plain else None
