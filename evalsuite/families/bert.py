"""BERT and multilingual BERT (Devlin et al. 2019)."""

from __future__ import annotations

from evalsuite.families import _bert
from evalsuite.family import Family

FAMILY = Family(
    name="bert",
    classes="Bert",
    stack=_bert.STACK,
    layer=_bert.LAYER,
    words=_bert.WORDS,
    positions="absolute",
    lora=("query", "value"),
    heads=("classifier", "qa_outputs", "pooler"),
    vocabulary=_bert.BERT_VOCABULARY,
)
