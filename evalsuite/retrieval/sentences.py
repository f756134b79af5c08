"""How a sentence is encoded for an embedding, and how its tokens become one vector.

The embedding is the mean over tokens (or the first token) of one layer's hidden states.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from evalsuite.inference.encoded import Encoded

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

Pooling = Literal["mean", "cls"]


def encode_sentences(
    tokenizer: Tokenizer, sentences: Sequence[str], max_length: int
) -> list[Encoded]:
    """`<s> sentence </s>`, cut at `max_length`."""
    tokenizer.enable_truncation(max_length)
    try:
        encodings = tokenizer.encode_batch(list(sentences))
    finally:
        tokenizer.no_truncation()
    return [
        Encoded(index, encoding.ids, cut=bool(encoding.overflowing))
        for index, encoding in enumerate(encodings)
    ]


def pool(hidden: np.ndarray, mask: np.ndarray, pooling: Pooling) -> np.ndarray:
    """`[batch, tokens, width]` to `[batch, width]` in float32; `mask` is 1 on real tokens."""
    import numpy as np

    if pooling == "cls":
        return hidden[:, 0].astype(np.float32)
    weights = mask[:, :, None].astype(np.float32)
    return np.asarray((hidden * weights).sum(1) / weights.sum(1), dtype=np.float32)
