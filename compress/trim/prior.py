"""How often a piece is to be expected, by the text and by the tokenizer's own scores.

>>> expected(Counter({7: 90, 8: 10}), {7: -9.0, 8: -7.0}, weight=0.5)
{7: 0.5246331135813284, 8: 0.4753668864186717}

The scores of a Unigram vocabulary are log probabilities in the text that it was trained on, which
is far more than a trim counts, and of all domains. The weighted geometric mean of both takes
everyday words that a text of one domain has seldom, and no piece that the text has never: those are
mostly of other languages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from compress.errors import TrimError


def expected(
    counts: Mapping[int, int], scores: Mapping[int, float], weight: float
) -> dict[int, float]:
    """The share that each piece has in a language; all shares sum to 1.

    Args:
        counts: occurrences of pieces in the text of the language, above 0.
        scores: natural logarithms of probabilities, by id.
        weight: of the scores, from 0 (the text alone) to 1.
    """
    logs = {
        piece: (1 - weight) * math.log(times) + weight * scores[piece]
        for piece, times in counts.items()
    }
    most = max(logs.values(), default=0.0)
    shares = {piece: math.exp(value - most) for piece, value in logs.items()}
    total = sum(shares.values())
    return {piece: share / total for piece, share in shares.items()}


def scores_or_refuse(scores: Mapping[int, float] | None) -> Mapping[int, float]:
    """The scores. Raises: TrimError: the vocabulary has none."""
    if scores is None:
        raise TrimError(
            "prior: this tokenizer has no scores of its pieces; Unigram tokenizers have them, such "
            "as those of XLM-R and multilingual E5\nremove prior"
        )
    return scores
