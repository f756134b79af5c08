"""XLM-R base and large (Conneau et al. 2020): RoBERTa in a hundred languages."""

from __future__ import annotations

from evalsuite.families import _bert
from evalsuite.family import Family

FAMILY = Family(
    name="xlm-roberta",
    stack=_bert.STACK,
    layer=_bert.LAYER,
    words=_bert.WORDS,
    positions="after-padding",
    lora=("query", "value"),
    heads=("classifier", "qa_outputs", "pooler"),
    vocabulary=_bert.ROBERTA_VOCABULARY,
)
