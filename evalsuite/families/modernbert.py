"""ModernBERT, mmBERT among them (Warner et al. 2024): fused projections, gated units, rotary.

One matrix gives queries, keys and values, in this order, and no linear layer need have a bias. Two
of three layers see a window of tokens; transformers computes the products of all tokens there too
and masks them.
"""

from __future__ import annotations

from typing import Any

from evalsuite.family import Family
from evalsuite.family_parts import LayerPaths


class ModernBert(Family):
    """Biases where its config asks for them."""

    def has_biases(self, config: Any) -> bool:
        """Of attention, feed-forward layers or norms; published models have none."""
        keys = ("attention_bias", "mlp_bias", "norm_bias")
        return any(getattr(config, key, False) for key in keys)


FAMILY = ModernBert(
    name="modernbert",
    classes="ModernBert",
    stack="layers",
    layer=LayerPaths(
        attention="attn",
        query="attn.Wqkv",
        key="attn.Wqkv",
        value="attn.Wqkv",
        output="attn.Wo",
        inward="mlp.Wi",
        outward="mlp.Wo",
        activation="mlp.act",
        gated=True,
        attention_norm="attn_norm",
        feed_forward_norm="mlp_norm",
        norm_first=True,
    ),
    final_norm="final_norm",
    words="embeddings.tok_embeddings",
    positions="rotary",
    per_layer=("layer_types",),
    dropout=0.0,
    lora=("Wqkv",),
    kept=(5, 2, 3),
    heads=("classifier", "head"),
    vocabulary=("tok_embeddings.weight", "decoder.weight", "decoder.bias"),
    dense_heads=frozenset({"pair", "choice", "tagging", "span"}),
    fixed_first="the norm of the embeddings stands in for its own",
    fixed_dimensions="rotary positions turn each pair of a head's dimensions at another rate",
    not_first_token="its attention turns queries by their positions, within a window",
    prefixes=False,
)
