"""Trace a head that reads `<s>` alone with a last layer that computes `<s>` alone.

>>> with first_token_alone(model, sample) as shortened:
...     exported = exporter.export(model, sample)

The heads of pairs and of choices read only the first token's state. So the logits need the last
layer's keys and values, and the queries, projection and feed-forward of that one token. The rest,
ten of the twelve products of a layer, is a seventh of the cost of six layers, and over a quarter of
the cost of three. Lost are the last hidden states of all other tokens.

Models whose head reads more are traced unchanged, and so are those of families whose last layer
cannot do it (`not_first_token`): rotary and relative positions depend on the place of the query.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from compress.export.layer_steps import after_attention, before_attention, heads
from evalsuite.family import Family
from evalsuite.find_family import find

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
    family = _plain(model)
    if family is None:
        yield False
        return
    layer = family.layers(model)[-1]
    whole = _logits(model, sample)
    layer.forward = lambda states, mask=None, *_, **named: _first(
        family, model.config, layer, states, named.get("attention_mask", mask)
    )
    try:
        difference = (_logits(model, sample) - whole).abs().max()
        if same := bool(difference <= _TOLERANCE * whole.abs().max()):
            yield True
    finally:
        del layer.forward
    if not same:
        yield False


def _first(
    family: Family, config: Any, layer: Any, states: torch.Tensor, mask: torch.Tensor | None
) -> torch.Tensor:
    """The layer's output for the first token, `[batch, 1, width]`."""
    read = before_attention(family, layer, states)
    context = scaled_dot_product_attention(
        heads(family, config, layer, "query", read[:, :1]),
        heads(family, config, layer, "key", read),
        heads(family, config, layer, "value", read),
        attn_mask=None if mask is None else mask[:, :, :1],
    )
    return after_attention(family, layer, context, states[:, :1])


def _logits(model: Any, sample: dict[str, torch.Tensor]) -> torch.Tensor:
    mask = sample["attention_mask"].clone()
    mask[0, ..., mask.shape[-1] // 2 :] = 0
    with torch.no_grad():
        logits: torch.Tensor = model(**sample | {"attention_mask": mask}).logits
    return logits


def _plain(model: Any) -> Family | None:
    """The model's family, where its last layer can be shortened; None where it cannot."""
    if not type(model).__name__.endswith(("ForSequenceClassification", "ForMultipleChoice")):
        return None
    family = find(model)
    return family if family is not None and family.not_first_token is None else None
