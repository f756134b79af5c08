"""Floating-point operations of an encoder's matrix products, from its config alone.

>>> base = Encoder(layers=12, width=768, feedforward=3072)
>>> round(operations(base, 1, 128) / 1e9, 1)
22.3

A product of `[m, k]` and `[k, n]` is `2 m k n` operations, as torch's `FlopCounterMode` counts it;
`tests/evalsuite/test_flops.py` holds these counts to it. Nothing else is counted: softmax, layer
norms, activations and looking embeddings up are no matrix products. An encoder's pooler is counted
only where a head stands on it: hidden states do not need it. In int8 and bf16 the products are the
same.

Attention heads that `prune` silenced are counted in a checkpoint, which computes them, and not in a
bundle, whose graph is without them. Nor is what a bundle's last layer does not compute.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evalsuite.inference.checkpoint_config import FIRST_TOKEN, head_of, labels_of, model_config
from evalsuite.inference.open_model import BUNDLE_FILE


@dataclass(frozen=True, slots=True)
class Encoder:
    """What the count depends on. Into how many attention heads a width is cut does not matter.

    Attributes:
        width: of the hidden states.
        feedforward: inner width.
        head: format of the head, None for an encoder alone.
        labels: that the head gives: 2 for spans, 1 for choices.
        attention: width of all heads of all layers; None where each layer's is `width`.
        shortened: width of the last layer's heads, where that layer computes the first token's
            output alone.
    """

    layers: int
    width: int
    feedforward: int
    head: str | None = None
    labels: int = 0
    attention: int | None = None
    shortened: int | None = None


def of_directory(directory: Path) -> Encoder:
    """Of a checkpoint, or of a bundle with the heads its graph has."""
    found = encoder(model_config(directory))
    path = directory / BUNDLE_FILE
    card = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    last = found.width
    if heads := card.get("heads"):
        size = found.width // int(model_config(directory)["num_attention_heads"])
        last = size * heads[-1]
        found = replace(found, attention=size * sum(heads))
    return replace(found, shortened=last) if card.get("last_layer") == FIRST_TOKEN else found


def encoder(config: dict[str, Any]) -> Encoder:
    """Of a checkpoint's or bundle's `config.json`, all heads in place."""
    head = head_of(config)
    return Encoder(
        layers=int(config["num_hidden_layers"]),
        width=int(config["hidden_size"]),
        feedforward=int(config["intermediate_size"]),
        head=head,
        labels=(len(labels_of(config)) or 2) if head else 0,  # two go without saying
    )


def operations(model: Encoder, batch: int, length: int) -> int:
    """Of one pass over `[batch, length]` tokens, padding included."""
    width, tokens = model.width, batch * length
    attention = model.layers * width if model.attention is None else model.attention
    projections = 4 * width * attention  # query, key, value, output
    scores = 2 * length * attention  # and their use
    feedforward = model.layers * 2 * width * model.feedforward
    whole = 2 * tokens * (projections + scores + feedforward) + _head(model, batch, tokens)
    if model.shortened is None:
        return whole
    left_out = 2 * width * model.shortened + 2 * length * model.shortened  # query, output, scores
    return whole - 2 * (tokens - batch) * (left_out + 2 * width * model.feedforward)


def of_sequences(model: Encoder, lengths: Iterable[int]) -> int:
    """Of sequences run each by itself: the real tokens, no padding."""
    return sum(operations(model, 1, length) for length in lengths)


def _head(model: Encoder, batch: int, tokens: int) -> int:
    if model.head in ("pair", "choice"):  # a dense layer on the first token, then the labels
        return 2 * batch * model.width * (model.width + model.labels)
    return 2 * tokens * model.width * model.labels  # every token; no head, no labels
