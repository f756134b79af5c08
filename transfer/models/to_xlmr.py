"""Carry an English encoder of the BERT family into the XLM-R architecture.

>>> model = carry(load_english(directory), table)    # table: [vocabulary, hidden]
>>> model.config.model_type
'xlm-roberta'

Both are the same transformer. What differs: XLM-R counts positions from two, has one token type
(BERT's first, added to every token alike) and other ids for its special tokens. The layers are
copied as they are, so hidden states are the original's wherever the embeddings are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, AutoModelForMaskedLM

from evalsuite.errors import ModelError
from evalsuite.find_family import config_of
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.opening.pretrained import from_config, from_pretrained

_OFFSET = 2  # XLM-R's first position is its padding id plus one
# Keys of a BERT's config that an XLM-R's has with the same meaning.
_SAME = (
    *("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"),
    *("hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob", "layer_norm_eps"),
)


def load_english(directory: Path) -> Any:
    """Open the encoder to carry.

    Raises:
        ModelError: it is not a BERT with absolute positions, or does not open.
        PickleRefusedError: its weights are a pickle.
    """
    config = read_config(directory)
    kind, positions = config.get("model_type"), config.get("position_embedding_type", "absolute")
    if kind != "bert" or positions != "absolute":
        raise ModelError(
            f"{directory.name} is a {kind} with {positions} positions; "
            "extend carries encoders of the BERT family with absolute positions"
        )
    return from_pretrained(AutoModel, directory, dtype=torch.float32).eval()


def carry(original: Any, table: torch.Tensor) -> Any:
    """The original's layers behind new word embeddings `[vocabulary, hidden]`, with an untrained
    masked-LM head; ids 0 to 3 are `<s> <pad> </s> <unk>`."""
    config = original.config
    changed = {
        "model_type": "xlm-roberta",
        "vocab_size": len(table),
        "max_position_embeddings": config.max_position_embeddings + _OFFSET,
        "type_vocab_size": 1,
        "bos_token_id": 0,
        "pad_token_id": 1,
        "eos_token_id": 2,
    }
    same = {name: getattr(config, name) for name in _SAME}
    model = from_config(AutoModelForMaskedLM, config_of(same | changed))
    body, source = model.base_model, original.state_dict()
    with torch.no_grad():
        for name, weight in body.state_dict().items():
            if name.startswith("encoder.") or "LayerNorm" in name:
                weight.copy_(source[name])
        embeddings = body.embeddings
        embeddings.word_embeddings.weight.copy_(table)
        embeddings.position_embeddings.weight[_OFFSET:].copy_(
            source["embeddings.position_embeddings.weight"]
        )
        embeddings.token_type_embeddings.weight.copy_(
            source["embeddings.token_type_embeddings.weight"][:1]
        )
    return model
