"""What guessing scores: the lower bound that a score is compared with.

>>> majority(["neutral", "neutral", "entailment", "contradiction"])
50.0
>>> best_constant_chunk_f1([["B-PER", "O"], ["O"]], ("O", "B-PER", "I-PER"))
50.0

The guess is the best constant answer, chosen with the gold rows of the language. Each format says
which of these functions is its own (`chance` in `evalsuite.formats`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from evalsuite.metrics.chunks import Counts, chunks, common


def one_in(rows: int) -> float:
    """Retrieval among this many rows."""
    if rows < 1:
        raise ValueError("no rows to guess among")
    return 100.0 / rows


def random_pairs(partners: Sequence[int], candidates: int) -> float:
    """Mining F1 to be expected of a candidate drawn for each row, by how many are right for it."""
    if not sum(partners):
        raise ValueError("no pairs to guess")
    return 100.0 * 2 * sum(partners) / candidates / (len(partners) + sum(partners))


def majority(gold: Sequence[str]) -> float:
    """Share of the most frequent label."""
    if not gold:
        raise ValueError("no gold labels to guess from")
    return 100.0 * max(Counter(gold).values()) / len(gold)


def best_constant_chunk_f1(gold: Sequence[Sequence[str]], labels: Sequence[str]) -> float:
    """Chunk F1 of the best single tag for every word."""
    if not gold:
        raise ValueError("no gold labels to guess from")
    right, best = chunks(gold), 0.0
    lengths = {len(row) for row in gold}
    for tag in labels:
        constant = {length: [tag] * length for length in lengths}
        said = chunks([constant[len(row)] for row in gold])
        found = Counts(len(common(right, said)), len(said.last), len(right.last))
        best = max(best, found.scores()["f1"])
    return best
