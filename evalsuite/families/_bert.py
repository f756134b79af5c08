"""What the families built like BERT share."""

from __future__ import annotations

from evalsuite.family_parts import LayerPaths

STACK = "encoder.layer"
WORDS = "embeddings.word_embeddings"
LAYER = LayerPaths(
    attention="attention",
    query="attention.self.query",
    key="attention.self.key",
    value="attention.self.value",
    output="attention.output.dense",
    inward="intermediate.dense",
    outward="output.dense",
    activation="intermediate.intermediate_act_fn",
    attention_norm="attention.output.LayerNorm",
    feed_forward_norm="output.LayerNorm",
)
# Of the masked-LM heads of RoBERTa and of BERT.
ROBERTA_VOCABULARY = (
    "word_embeddings.weight",
    "lm_head.decoder.weight",
    "lm_head.decoder.bias",
    "lm_head.bias",
)
BERT_VOCABULARY = (
    "word_embeddings.weight",
    "predictions.decoder.weight",
    "predictions.decoder.bias",
    "predictions.bias",
)
