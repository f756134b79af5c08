"""DistilBERT, multilingual too (Sanh et al. 2019): BERT's layers under other names, no pooler."""

from __future__ import annotations

from evalsuite.family import Family
from evalsuite.family_parts import LayerPaths

FAMILY = Family(
    name="distilbert",
    classes="DistilBert",
    stack="transformer.layer",
    layer=LayerPaths(
        attention="attention",
        query="attention.q_lin",
        key="attention.k_lin",
        value="attention.v_lin",
        output="attention.out_lin",
        inward="ffn.lin1",
        outward="ffn.lin2",
        activation="ffn.activation",
        attention_norm="sa_layer_norm",
        feed_forward_norm="output_layer_norm",
    ),
    words="embeddings.word_embeddings",
    positions="absolute",
    config_names={
        "hidden_size": "dim",
        "num_attention_heads": "n_heads",
        "num_hidden_layers": "n_layers",
    },
    feed_forward_key="hidden_dim",
    lora=("q_lin", "v_lin"),
    kept=(3, 3, 1),
    heads=("classifier", "pre_classifier", "qa_outputs"),
    vocabulary=("word_embeddings.weight", "vocab_projector.weight", "vocab_projector.bias"),
    prefixes=False,
)
