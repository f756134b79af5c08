"""The shape of an encoder that is pretrained from scratch, and its config.

>>> shape = Shape(layers=4, hidden=192, heads=4, ffn=512, vocabulary=8000, max_length=256)
>>> config_entries(shape, 8000)["max_position_embeddings"]
258
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evalsuite.find_family import named
from evalsuite.plain_config import PlainConfig

_FROM_SCRATCH = "xlm-roberta"  # whose layout of special tokens the trained vocabulary has


@dataclass(frozen=True, slots=True)
class Shape:
    """An architecture from scratch."""

    layers: int
    hidden: int
    heads: int
    ffn: int
    vocabulary: int
    max_length: int  # longest sequence the model will take
    dropout: float = 0.1


def config_entries(shape: Shape, vocabulary: int) -> dict[str, Any]:
    """What `config.json` says of a model of this shape.

    Args:
        vocabulary: pieces that its tokenizer has.
    """
    family = named(_FROM_SCRATCH)
    entries = {
        "model_type": family.name,
        "vocab_size": vocabulary,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        family.feed_forward_key: shape.ffn,
        "type_vocab_size": 1,
        "hidden_dropout_prob": shape.dropout,
        "attention_probs_dropout_prob": shape.dropout,
        "layer_norm_eps": 1e-5,
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
    }
    positions = family.positions_for(PlainConfig(entries), shape.max_length)
    return entries | {"max_position_embeddings": positions}
