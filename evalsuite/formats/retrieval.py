"""A sentence and its translation among all others: Tatoeba.

The embedding is the mean over tokens (or the first token) of one layer's hidden states; layer
and pooling are part of every score, since upstream is ambiguous about both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from evalsuite.inference.encoded import Encoded
from evalsuite.metrics.score import score_retrieval
from evalsuite.task import ParallelExample, Task

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

Pooling = Literal["mean", "cls"]


def encode(
    tokenizer: Tokenizer, examples: Sequence[ParallelExample], max_length: int
) -> list[Encoded]:
    """The foreign sides: `<s> sentence </s>`, cut at `max_length`."""
    return encode_sentences(tokenizer, [example.foreign for example in examples], max_length)


def encode_sentences(
    tokenizer: Tokenizer, sentences: Sequence[str], max_length: int
) -> list[Encoded]:
    """Any sentences, the same way."""
    tokenizer.enable_truncation(max_length)
    try:
        encodings = tokenizer.encode_batch(list(sentences))
    finally:
        tokenizer.no_truncation()
    return [Encoded(index, encoding.ids) for index, encoding in enumerate(encodings)]


def pool(hidden: np.ndarray, mask: np.ndarray, pooling: Pooling) -> np.ndarray:
    """`[batch, tokens, width]` to `[batch, width]` in float32; `mask` is 1 on real tokens."""
    import numpy as np

    if pooling == "cls":
        return hidden[:, 0].astype(np.float32)
    weights = mask[:, :, None].astype(np.float32)
    return np.asarray((hidden * weights).sum(1) / weights.sum(1), dtype=np.float32)


def parts(
    task: Task, language: str, examples: Sequence[ParallelExample], predictions: Sequence[int]
) -> np.ndarray:
    """Found or not."""
    import numpy as np

    return np.array([(row == found, 1) for row, found in enumerate(predictions)], dtype=float)


def score(
    task: Task, language: str, examples: Sequence[ParallelExample], predictions: Sequence[int]
) -> dict[str, float]:
    """Percent of foreign rows whose nearest English row is their own."""
    return score_retrieval(range(len(examples)), predictions)
