"""What `config.json` says of a small encoder, for plans: no weights are made."""

from __future__ import annotations

XLMR = {
    "model_type": "xlm-roberta", "hidden_size": 32, "intermediate_size": 64,
    "max_position_embeddings": 66, "num_attention_heads": 2, "num_hidden_layers": 3,
    "pad_token_id": 1, "type_vocab_size": 1, "vocab_size": 500,
}  # fmt: skip
