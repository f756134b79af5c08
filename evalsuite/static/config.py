"""The configuration of a static model, as transformers reads it.

>>> register()
>>> AutoConfig.from_pretrained("static-student").hidden_size
256
"""

from __future__ import annotations

from functools import cache

from transformers import AutoConfig, PreTrainedConfig

from evalsuite.static.kind import MODEL_TYPE


class StaticConfig(PreTrainedConfig):  # type: ignore[misc]
    """Sizes of the table, and the tokens that a head has to know.

    Attributes:
        max_position_embeddings: two more than the longest input, as XLM-R counts.
        sep_token_id: the token that ends the first text of two; None: two texts are read as one.
    """

    model_type = MODEL_TYPE

    vocab_size: int = 1000
    hidden_size: int = 256
    num_hidden_layers: int = 0
    num_attention_heads: int = 0
    intermediate_size: int = 0
    max_position_embeddings: int = 514
    initializer_range: float = 0.02
    pad_token_id: int | None = 1
    sep_token_id: int | None = None


@cache
def register() -> None:
    """Make the configuration known to transformers."""
    AutoConfig.register(MODEL_TYPE, StaticConfig)
