"""Queries against one pool of candidates: LAReQA and Mewsli-X.

Query and candidate are embedded by the same encoder, each alone, and compared by cosine. Layer and
pooling are part of every score, as for Tatoeba.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite.formats.retrieval import encode_sentences
from evalsuite.inference.encoded import Encoded
from evalsuite.metrics.ranking import average_precision, ranking_scores
from evalsuite.task import MatchExample, QueryExample, Task

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer


def encode(
    tokenizer: Tokenizer, examples: Sequence[QueryExample | MatchExample], max_length: int
) -> list[Encoded]:
    """The queries: `<s> query </s>`, cut at `max_length`."""
    return encode_sentences(tokenizer, [example.query for example in examples], max_length)


def parts(
    task: Task, language: str, examples: Sequence[QueryExample], predictions: Sequence[list[str]]
) -> np.ndarray:
    """Average precision of each query."""
    import numpy as np

    rows = zip(examples, predictions, strict=True)
    return np.array([(average_precision(e.relevant, said), 1) for e, said in rows], dtype=float)


def score(
    task: Task, language: str, examples: Sequence[QueryExample], predictions: Sequence[list[str]]
) -> dict[str, float]:
    """Mean average precision of the first twenty candidates."""
    return ranking_scores([example.relevant for example in examples], predictions)
