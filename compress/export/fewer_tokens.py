"""Trace a model that goes on with the most attended tokens of each text alone.

>>> with fewer_tokens(model, {4: 50}):       # half of the tokens from the fifth layer on
...     exported = exporter.export(model, sample)

After a layer, each token's share of the attention of all tokens is known: the mean over heads, the
sum over the text's tokens (PoWER-BERT, Goyal et al. 2020; LTP, Kim et al. 2022, learns a threshold
for it). The least attended ones are left out of the layers above. The first token stays, since the
heads of pairs and of choices read it. How many stay follows from the text's own length, so its
answer is the same in any batch.

Hidden states after such a layer have fewer tokens, and are no outputs of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from compress.errors import ExportError
from compress.export.kept_tokens import (
    NO_FIRST_TOKEN,
    KeptTokens,
    needs_all_places,
    places_problem,
)
from compress.export.layer_steps import after_attention, before_attention, heads
from evalsuite.family import Family
from evalsuite.find_family import find

_ALWAYS = 1e4  # more attention than any token gets
_LEAST = 2  # tokens that stay of any text


def _problem(model: Any, kept: KeptTokens) -> str | None:
    """Why a model cannot leave tokens out like that; None where it can."""
    if not type(model).__name__.endswith(("ForSequenceClassification", "ForMultipleChoice")):
        return NO_FIRST_TOKEN
    family = find(model)
    if family is None or family.not_first_token is not None:
        return needs_all_places(model.config.model_type)
    return places_problem(kept, model.config.num_hidden_layers)


@dataclass(frozen=True, slots=True)
class _Text:
    """What later layers need of a batch.

    Attributes:
        lengths: tokens of each sequence before any were left out, `[batch]`.
        there: which places have a token, `[batch, tokens]`.
    """

    lengths: torch.Tensor
    there: torch.Tensor


@contextmanager
def fewer_tokens(model: Any, kept: KeptTokens) -> Iterator[None]:
    """Leave tokens out inside the `with` block.

    Args:
        model: of transformers, in eval mode; its last layer may compute the first token alone.

    Raises:
        ExportError: the model cannot leave tokens out.
    """
    if not kept:
        yield
        return
    if why := _problem(model, kept):
        raise ExportError(why)
    family = find(model)
    assert family is not None
    layers = list(family.layers(model))
    texts: list[_Text] = []  # of the batch that runs, as the last layer below left it
    above = layers[min(kept) - 1 :]
    before = [layer.__dict__.get("forward") for layer in above]
    for number, layer in enumerate(above, start=min(kept)):
        layer.forward = _forward(
            family, model.config, layer, kept.get(number), texts, number == min(kept)
        )
    try:
        yield
    finally:
        for layer, own in zip(above, before, strict=True):
            if own is None:
                del layer.forward
            else:
                layer.forward = own


def _forward(
    family: Family, config: Any, layer: Any, percent: int | None, texts: list[_Text], first: bool
) -> Callable[..., torch.Tensor]:
    """The forward of a layer after which tokens are left out, or of one above it.

    Args:
        first: after no layer below are tokens left out.
    """
    original = layer.forward

    def run(states: torch.Tensor, mask: Any = None, *_: Any, **named: Any) -> torch.Tensor:
        if first:
            texts[:] = [_whole(states, named.get("attention_mask", mask))]
        (text,) = texts
        if percent is None:
            named["attention_mask"] = text.there[:, None, None, :]
            output: torch.Tensor = original(states, **named)
            return output
        output, received = _with_attention(family, config, layer, states, text.there)
        return _left(output, received, text, percent, texts)

    return run


def _whole(states: torch.Tensor, mask: torch.Tensor | None) -> _Text:
    """A batch of which nothing is left out yet.

    Args:
        mask: of the attention, `[batch, 1, tokens, tokens]`, true or 0 where a token is read.
    """
    if mask is None:
        there = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
    else:
        row = mask[:, 0, 0, :]
        there = row if row.dtype == torch.bool else row >= 0
    return _Text(there.sum(1), there)


def _with_attention(
    family: Family, config: Any, layer: Any, states: torch.Tensor, there: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """A layer's output, and the attention that each token receives, `[batch, tokens]`."""
    read = before_attention(family, layer, states)
    query, key, value = (
        heads(family, config, layer, name, read) for name in ("query", "key", "value")
    )
    scores = query @ key.transpose(-1, -2) * family.head_size(config) ** -0.5
    shares = scores.masked_fill(~there[:, None, None, :], -torch.inf).softmax(-1)
    received = (shares.mean(1) * there[:, :, None]).sum(1)
    return after_attention(family, layer, shares @ value, states), received


def _left(
    output: torch.Tensor, received: torch.Tensor, text: _Text, percent: int, texts: list[_Text]
) -> torch.Tensor:
    """The states of the tokens that stay, the first token first; notes which places have one."""
    places = torch.arange(output.shape[1], device=output.device)
    # Without a division, which OpenVINO rounds to the nearest where torch rounds down.
    stays = (places * 100)[None] < (text.lengths * percent)[:, None]
    stays = stays | (places < _LEAST)[None]
    count: Any = stays.sum(1).max().item()
    known: Any = torch._check  # for the tracer, which knows nothing of the number
    known(count >= _LEAST)
    known(count <= output.shape[1])
    received = received.masked_fill(~text.there, -1.0)
    received = received.masked_fill((places == 0)[None], _ALWAYS)
    chosen = received.topk(count, dim=1).indices
    texts[:] = [_Text(text.lengths, stays[:, :count])]
    return output.gather(1, chosen[..., None].expand(-1, -1, output.shape[-1]))
