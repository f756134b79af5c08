"""XLM-R XL and XXL (Goyal et al. 2021): XLM-R with the norms before attention and feed-forward."""

from __future__ import annotations

from dataclasses import replace

from evalsuite.families import _bert
from evalsuite.family import Family

FAMILY = Family(
    name="xlm-roberta-xl",
    classes="XLMRobertaXL",
    stack=_bert.STACK,
    layer=replace(
        _bert.LAYER,
        attention_norm="attention.self_attn_layer_norm",
        feed_forward_norm="LayerNorm",
        norm_first=True,
    ),
    final_norm="encoder.LayerNorm",
    words=_bert.WORDS,
    positions="after-padding",
    lora=("query", "value"),
    kept=(3, 3, 1),
    heads=("classifier", "qa_outputs", "pooler"),
    vocabulary=_bert.ROBERTA_VOCABULARY,
)
