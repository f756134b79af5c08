"""Precision, recall and F1 of chunks, as conlleval and the XTREME scorer count them.

>>> chunk_f1([["B-PER", "I-PER", "O"]], [["B-PER", "I-PER", "B-LOC"]])
{'precision': 50.0, 'recall': 100.0, 'f1': 66.66666666666666}

The reference is seqeval 1.2.2 in its default mode, micro average (google-research/xtreme
`evaluate.py` at b5d31e7). A chunk counts as found when type, first word and last word agree.

The UD-POS trap: XTREME scores part-of-speech tags with this same function. seqeval reads the
first letter of a tag as its position and the rest as its type, so adjacent words with the same tag
merge into one chunk (NOUN NOUN is one), and CCONJ and SCONJ are one type, CONJ. That is the
benchmark's official UD-POS score; `token_accuracy` is the plain one. Report both.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

from evalsuite.metrics.token_accuracy import check_shape

Chunk = tuple[str, int, int]  # type, first word, last word


class Counts(NamedTuple):
    """Chunks both have, chunks predicted, chunks in the gold rows."""

    found: int
    predicted: int
    gold: int

    def scores(self) -> dict[str, float]:
        """Precision, recall and F1 in percent; 0 where there is nothing to divide by."""
        precision = self.found / self.predicted if self.predicted else 0.0
        recall = self.found / self.gold if self.gold else 0.0
        total = precision + recall
        f1 = 2 * precision * recall / total if total else 0.0
        return {"precision": 100 * precision, "recall": 100 * recall, "f1": 100 * f1}


def chunks(rows: Sequence[Sequence[str]]) -> list[frozenset[Chunk]]:
    """The chunks of each sentence, words counted from its start."""
    from seqeval.metrics.sequence_labeling import get_entities

    with warnings.catch_warnings():  # "NOUN seems not to be NE tag.": meant, see the module's text
        warnings.filterwarnings("ignore", message=".*seems not to be NE tag", category=UserWarning)
        return [frozenset(get_entities(list(row))) for row in rows]


def chunk_f1(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> dict[str, float]:
    """`precision`, `recall` and `f1` over all sentences, in percent.

    Raises:
        ValueError: no sentences, or the two are not of the same sentences.
    """
    check_shape(gold, predicted)
    if not gold:
        raise ValueError("no rows to score")
    right, guess = chunks(gold), chunks(predicted)
    found = sum(len(a & b) for a, b in zip(right, guess, strict=True))
    return Counts(found, sum(map(len, guess)), sum(map(len, right))).scores()
