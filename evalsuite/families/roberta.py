"""RoBERTa (Liu et al. 2019): BERT's layers; positions are counted after the padding's."""

from __future__ import annotations

from evalsuite.families import _bert
from evalsuite.family import Family

FAMILY = Family(
    name="roberta",
    classes="Roberta",
    stack=_bert.STACK,
    layer=_bert.LAYER,
    words=_bert.WORDS,
    positions="after-padding",
    lora=("query", "value"),
    heads=("classifier", "qa_outputs", "pooler"),
    vocabulary=_bert.ROBERTA_VOCABULARY,
)
