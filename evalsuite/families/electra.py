"""ELECTRA (Clark et al. 2020): BERT's layers; word embeddings may be narrower than the layers.

The tables of words, positions and types and their norm have `embedding_size` numbers; a linear
layer takes these to the width. There is no pooler: the head of pairs has its own dense layer, and
that of choices a `sequence_summary`.
"""

from __future__ import annotations

from evalsuite.families import _bert
from evalsuite.family import Family

FAMILY = Family(
    name="electra",
    classes="Electra",
    stack=_bert.STACK,
    layer=_bert.LAYER,
    words=_bert.WORDS,
    projection="embeddings_project",
    narrow_tables=True,
    positions="absolute",
    lora=("query", "value"),
    heads=(
        *("classifier", "qa_outputs", "sequence_summary"),
        *("generator_predictions", "generator_lm_head"),
    ),
    vocabulary=("word_embeddings.weight", "generator_lm_head.weight", "generator_lm_head.bias"),
)
