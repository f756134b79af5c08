"""DeBERTa v2 and v3, mDeBERTa among them (He et al. 2021): distances take part in attention.

Queries are compared with projected relative positions (`c2p`), and positions with keys (`p2c`).
The positions are projected by separate matrices, or by those of queries and keys
(`share_att_key`, as in v3). Some models have a convolution next to the first layer.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from evalsuite.families import _bert
from evalsuite.family import Family
from evalsuite.family_parts import Kept, Sizes


class DebertaV2(Family):
    """Relative positions, and a convolution in some models."""

    def head_size(self, config: Any) -> int:
        """Dimensions of an attention head, which a config may set."""
        return int(getattr(config, "attention_head_size", super().head_size(config)))

    def with_sizes(self, config: Any, sizes: Sizes) -> Any:
        """The pooler of a head is as wide as the encoder, and so are all heads of a layer."""
        changed = super().with_sizes(config, sizes)
        if hasattr(config, "attention_head_size"):
            changed.attention_head_size = sizes.width // sizes.heads
        changed.pooler_hidden_size = sizes.width
        return changed

    def first_layer_reason(self, config: Any) -> str | None:
        """A convolution of the embeddings is added to the first layer's output."""
        convolved = int(getattr(config, "conv_kernel_size", 0)) > 0
        return "the model adds a convolution to its output" if convolved else None

    def masked_lm_config(self, config: Any, tensors: Iterable[str]) -> Any:
        """Published weights have the head that transformers makes with `legacy: false`.

        Their config does not have this entry, whose default is true.
        """
        stored = {name.partition(".")[0] for name in tensors} & {"cls", "lm_predictions"}
        if not stored:
            return config
        changed = copy.copy(config)
        changed.legacy = "cls" in stored
        return changed

    def compared_positions(self, config: Any) -> tuple[int, int]:
        """Twice the largest distance, or the number of its buckets, for each kind of comparison."""
        rows, kinds = self._relative_rows(config), _kinds(config)
        shared = bool(getattr(config, "share_att_key", False))
        return rows * (2 if shared else kinds), rows * kinds

    def kept_of(self, config: Any) -> Kept:
        """Each token is compared with positions, whose projections are kept for every row."""
        return replace(super().kept_of(config), compared=self.compared_positions(config)[1])

    def position_projections(self, config: Any) -> int:
        """One for each kind of comparison, unless those of queries and keys are shared."""
        if not self._relative_rows(config) or getattr(config, "share_att_key", False):
            return 0
        return _kinds(config)

    def position_rows(self, config: Any) -> int:
        """Relative positions, and in some models absolute ones, which are added to the words."""
        absolute = getattr(config, "position_biased_input", True)
        added = int(config.max_position_embeddings) if absolute else 0
        return self._relative_rows(config) + added

    @staticmethod
    def _relative_rows(config: Any) -> int:
        """Of the table: twice the largest distance, or the number of its buckets."""
        if not getattr(config, "relative_attention", False):
            return 0
        furthest = int(getattr(config, "max_relative_positions", -1))
        furthest = furthest if furthest >= 1 else int(config.max_position_embeddings)
        buckets = int(getattr(config, "position_buckets", -1))
        return 2 * (buckets if buckets > 0 else furthest)

    def outside_layers(self, config: Any) -> int:
        """The convolution too."""
        width = int(config.hidden_size)
        kernel = int(getattr(config, "conv_kernel_size", 0))
        convolution = kernel * width * width // int(getattr(config, "conv_groups", 1))
        return convolution + super().outside_layers(config)


def _kinds(config: Any) -> int:
    """Of comparisons with relative positions: by queries, by keys, or both."""
    kinds = getattr(config, "pos_att_type", None) or ()
    kinds = kinds.lower().split("|") if isinstance(kinds, str) else kinds  # as files have it
    return len({"c2p", "p2c"} & set(kinds))


FAMILY = DebertaV2(
    name="deberta-v2",
    classes="DebertaV2",
    stack=_bert.STACK,
    layer=replace(
        _bert.LAYER,
        query="attention.self.query_proj",
        key="attention.self.key_proj",
        value="attention.self.value_proj",
        relative=("attention.self.pos_key_proj", "attention.self.pos_query_proj"),
    ),
    words=_bert.WORDS,
    projection="embed_proj",
    positions="relative",
    lora=("query_proj", "value_proj"),
    kept=(5, 3, 1),
    heads=("classifier", "qa_outputs", "pooler"),
    vocabulary=(*_bert.BERT_VOCABULARY, "lm_predictions.lm_head.bias"),
    not_first_token="its attention compares every token with relative positions",
    prefixes=False,
)
