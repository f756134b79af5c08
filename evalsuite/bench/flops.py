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

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evalsuite.cascade.rule import is_cascade, read_rule
from evalsuite.find_family import config_of, family_of
from evalsuite.inference.checkpoint_config import FIRST_TOKEN, head_of, labels_of, model_config
from evalsuite.runtimes._bundle import read_card
from evalsuite.static.kind import FEATURES, is_static


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
        matrices: of a feed-forward part; 3 where its units are gated.
        positions: rows of relative positions that a layer projects, once for a batch, and those
            that it compares each token with.
        outside: multiply-adds a token outside the layers.
        dense_head: whether a dense layer of the width comes before the labels.
        kept: layers, counted from 1, after which tokens are left out, and the percent that is left.
    """

    layers: int
    width: int
    feedforward: int
    head: str | None = None
    labels: int = 0
    attention: int | None = None
    shortened: int | None = None
    matrices: int = 2
    positions: tuple[int, int] = (0, 0)
    outside: int = 0
    dense_head: bool = False
    kept: tuple[tuple[int, int], ...] = ()


def of_directory(directory: Path) -> Encoder:
    """Of a checkpoint, or of a bundle with the heads its graph has."""
    raw = model_config(directory)
    found = encoder(raw)
    card = read_card(directory) or {}
    last = found.width
    if heads := card.get("heads"):
        config = config_of(raw)
        size = family_of(config).head_size(config)
        last = size * heads[-1]
        found = replace(found, attention=size * sum(heads))
    found = replace(found, kept=tuple(sorted((card.get("keep_tokens") or {}).items())))
    return replace(found, shortened=last) if card.get("last_layer") == FIRST_TOKEN else found


def of_members(directory: Path) -> tuple[Encoder, ...]:
    """Of each member of a cascade; of another model, it alone."""
    if not is_cascade(directory):
        return (of_directory(directory),)
    members = read_rule(directory).members
    return tuple(of_directory(directory / member.folder) for member in members)


def encoder(raw: dict[str, Any]) -> Encoder:
    """Of a checkpoint's or bundle's `config.json`, all heads in place."""
    if is_static(raw):
        return _static(raw)
    config, head = config_of(raw), head_of(raw)
    family = family_of(config)
    sizes = family.sizes(config)
    return Encoder(
        layers=sizes.layers,
        width=sizes.width,
        feedforward=sizes.feed_forward,
        head=head,
        labels=(len(labels_of(raw)) or 2) if head else 0,  # two go without saying
        attention=sizes.layers * sizes.heads * family.head_size(config),
        matrices=3 if family.layer.gated else 2,
        positions=family.compared_positions(config),
        outside=family.outside_layers(config),
        dense_head=head in family.dense_heads,
    )


def _static(raw: dict[str, Any]) -> Encoder:
    """Of a static model: looking vectors up is no product, and its head is one linear layer."""
    head = head_of(raw)
    return Encoder(
        layers=0,
        width=FEATURES * int(raw["hidden_size"]),
        feedforward=0,
        head=head,
        labels=(len(labels_of(raw)) or 2) if head else 0,
    )


def operations(model: Encoder, batch: int, length: int) -> int:
    """Of one pass over `[batch, length]` tokens, padding included."""
    width, tokens = model.width, batch * length
    attention = model.layers * width if model.attention is None else model.attention
    lengths = _lengths(model, length)
    share = sum(lengths) / (model.layers * length) if lengths else 1.0  # of tokens times layers
    projections = 4 * width * attention * share  # query, key, value, output
    scores = 2 * attention * sum(own * own for own in lengths) / (model.layers or 1) / length
    projected, compared = model.positions
    positions = tokens * compared * attention + projected * width * attention
    feedforward = model.matrices * width * model.feedforward
    each = projections + scores + model.layers * share * feedforward + model.outside
    whole = round(2 * (tokens * each + positions)) + _head(model, batch, tokens)
    if model.shortened is None:
        return whole
    last = lengths[-1]
    left_out = 2 * width * model.shortened + 2 * last * model.shortened  # query, output, scores
    return whole - 2 * batch * (last - 1) * (left_out + feedforward)


def _lengths(model: Encoder, length: int) -> list[int]:
    """Tokens of a sequence that each layer reads."""
    left, found = length, []
    percents = dict(model.kept)
    for layer in range(1, model.layers + 1):
        found.append(left)
        if layer in percents:
            left = max(2, -(-length * percents[layer] // 100))
    return found


def of_sequences(model: Encoder, lengths: Iterable[int]) -> int:
    """Of sequences run each by itself: the real tokens, no padding."""
    return sum(operations(model, 1, length) for length in lengths)


def _head(model: Encoder, batch: int, tokens: int) -> int:
    if model.head is None:
        return 0
    read = batch if model.head in ("pair", "choice") else tokens  # of each sequence the first token
    dense = model.width if model.dense_head else 0
    return 2 * read * model.width * (dense + model.labels)
