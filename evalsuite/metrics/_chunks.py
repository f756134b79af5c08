"""Chunks of tags, as conlleval and the XTREME scorer count them.

>>> counts([["B-PER", "I-PER", "O"]], [["B-PER", "I-PER", "B-LOC"]])
array([[1, 2, 1]])

The reference is seqeval 1.2.2 in its default mode, micro average (google-research/xtreme
`evaluate.py` at b5d31e7). A chunk counts as found when type, first word and last word agree.
Whether one begins or ends between two tags is asked of seqeval once a pair of tags, and counted
over all words at once: the same counts, many times as fast (docs/LOG.md).

The UD-POS trap: XTREME scores part-of-speech tags with this same function. seqeval reads the
first letter of a tag as its position and the rest as its type, so adjacent words with the same tag
merge into one chunk (NOUN NOUN is one), and CCONJ and SCONJ are one type, CONJ. An X, which has no
type, has no end before the end of a sentence and no beginning after it, where it then begins with
the chunk before it, in an earlier sentence. That is the benchmark's official UD-POS score;
`token_accuracy` is the plain one. Report both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, count
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

OUTSIDE = 0  # what stands after each row

Rows = Sequence[Sequence[str]]


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


class Chunks(NamedTuple):
    """The chunks of some rows, in the order of their last words.

    Words are counted through all rows, with one place more after each; `[chunks]` each.
    """

    types: np.ndarray  # names
    first: np.ndarray
    last: np.ndarray


def counts(gold: Rows, predicted: Rows) -> np.ndarray:
    """Chunks found, predicted and there, by the row of their last word, `[rows, 3]`."""
    import numpy as np

    right, said = chunks(gold), chunks(predicted)
    rows = np.repeat(np.arange(len(gold)), [len(row) + 1 for row in gold])
    lasts = (common(right, said), said.last, right.last)
    return np.stack([np.bincount(rows[last], minlength=len(gold)) for last in lasts], axis=1)


def common(one: Chunks, other: Chunks) -> np.ndarray:
    """The last words of the chunks that both have."""
    import numpy as np

    last, here, there = np.intersect1d(one.last, other.last, True, return_indices=True)
    same = (one.first[here] == other.first[there]) & (one.types[here] == other.types[there])
    return np.asarray(last[same])


def chunks(rows: Rows) -> Chunks:
    """The chunks of all rows."""
    import numpy as np

    lengths = np.fromiter(map(len, rows), np.intp, len(rows))
    words = np.ones(lengths.sum() + len(rows), dtype=bool)
    words[np.cumsum(lengths + 1) - 1] = False
    number: defaultdict[str, int] = defaultdict(count(1).__next__)
    tags = np.full(len(words), OUTSIDE)
    found = map(number.__getitem__, chain.from_iterable(rows))
    tags[words] = np.fromiter(found, np.intp, lengths.sum())
    types, begins_at, ends_at = _tables(tuple(number))
    between = np.concatenate([[OUTSIDE], tags[:-1]]) * len(types) + tags
    begins = np.flatnonzero(begins_at.take(between))
    last = np.flatnonzero(ends_at.take(between)) - 1
    # The last beginning before the end; the first word where there is none.
    first = np.concatenate([[0], begins])[np.searchsorted(begins, last, side="right")]
    return Chunks(types[tags[last]], first, last)


@lru_cache(maxsize=256)
def _tables(names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The type of each tag, `[1 + tags]`, and whether a chunk begins and ends between one tag and
    the next, `[1 + tags, 1 + tags]`; the first is `OUTSIDE`."""
    import numpy as np
    from seqeval.metrics.sequence_labeling import end_of_chunk, start_of_chunk

    read = [("O", "_")]
    read += [(name[0], name[1:].split("-", maxsplit=1)[-1] or "_") for name in names]
    begins, ends = (
        np.array([[rule(was, now, of, kind) for now, kind in read] for was, of in read])
        for rule in (start_of_chunk, end_of_chunk)
    )
    return np.array([kind for _, kind in read]), begins, ends
