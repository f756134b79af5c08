"""Sentences of one corpus, and which sentence of another each translates, if any: BUCC 2018.

A prediction is the id of a sentence of the English side, or None. Precision and recall are of
pairs, so that a row without a partner counts only where one was predicted for it. Layer and pooling
are part of every score, as for Tatoeba, and so is what the threshold was fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite.formats.retrieval import encode_sentences
from evalsuite.inference.encoded import Encoded
from evalsuite.metrics.mining import mining_scores
from evalsuite.task import MiningExample, Task

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer


def encode(
    tokenizer: Tokenizer, examples: Sequence[MiningExample], max_length: int
) -> list[Encoded]:
    """The foreign sides: `<s> sentence </s>`, cut at `max_length`."""
    return encode_sentences(tokenizer, [example.foreign for example in examples], max_length)


def parts(
    task: Task,
    language: str,
    examples: Sequence[MiningExample],
    predictions: Sequence[str | None],
) -> np.ndarray:
    """Twice the pairs found, over those predicted and those there."""
    import numpy as np

    rows = zip(examples, predictions, strict=True)
    return np.array(
        [(2 * (said in e.partners), (said is not None) + len(e.partners)) for e, said in rows],
        dtype=float,
    )


def score(
    task: Task,
    language: str,
    examples: Sequence[MiningExample],
    predictions: Sequence[str | None],
) -> dict[str, float]:
    """`mining_f1`, `mining_precision` and `mining_recall`."""
    gold = {(e.id, partner) for e in examples for partner in e.partners}
    rows = zip(examples, predictions, strict=True)
    return mining_scores(gold, {(e.id, said) for e, said in rows if said is not None})
