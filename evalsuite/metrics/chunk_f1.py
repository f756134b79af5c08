"""F1, precision and recall of chunks of tags, as conlleval and the XTREME scorer count them.

>>> chunk_f1([["B-PER", "I-PER", "O"]], [["B-PER", "I-PER", "B-LOC"]])
{'precision': 50.0, 'recall': 100.0, 'f1': 66.66666666666666}

What a chunk is, `evalsuite.metrics._chunks` says; in part-of-speech tags it is not what one would
expect. Guessing gives every word the same tag, the best for the language.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite.metric import Answers, Metric
from evalsuite.metrics._chunks import Counts, Rows, chunks, common, counts
from evalsuite.metrics._scheme import marked
from evalsuite.metrics._tags import check, check_shape

if TYPE_CHECKING:
    import numpy as np


def chunk_f1(gold: Rows, predicted: Rows) -> dict[str, float]:
    """`precision`, `recall` and `f1` over all sentences, in percent.

    Raises:
        ValueError: no sentences, or the two are not of the same sentences.
    """
    check_shape(gold, predicted)
    if not gold:
        raise ValueError("no rows to score")
    found, said, there = (int(count) for count in counts(gold, predicted).sum(0))
    return Counts(found, said, there).scores()


def best_constant(gold: Rows, labels: Sequence[str]) -> float:
    """Chunk F1 of the best single tag for every word.

    >>> best_constant([["B-PER", "O"], ["O"]], ("O", "B-PER", "I-PER"))
    50.0
    """
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


def _marked(answers: Answers) -> tuple[Rows, Rows]:
    """Gold and predicted tags, with positions that chunks are read off."""
    scheme = answers.task.scheme
    if scheme in (None, "iob"):
        return answers.gold, answers.predicted
    gold, predicted = (
        [marked(scheme, row) for row in rows] for rows in (answers.gold, answers.predicted)
    )
    return gold, predicted


def _score(answers: Answers) -> dict[str, float]:
    check(answers)
    scores = chunk_f1(*_marked(answers))
    return {f"chunk_{name}": value for name, value in scores.items()}


def _chance(answers: Answers) -> float:
    scheme = answers.task.scheme
    gold = [marked(scheme, row) for row in answers.shown().gold]
    return best_constant(gold, marked(scheme, answers.task.labels))


def _parts(answers: Answers) -> np.ndarray:
    """Twice the chunks found, over those predicted and those there."""
    import numpy as np

    found, said, there = counts(*_marked(answers)).T
    return np.stack([2.0 * found, said + there], axis=1)


METRIC = Metric(
    {"chunk_f1": "chunk F1", "chunk_precision": "chunk precision", "chunk_recall": "chunk recall"},
    "tags",
    _score,
    _chance,
    _parts,
    details=("average:micro",),
    packages=("seqeval",),
    hub={"chunk_f1": "f1", "chunk_precision": "precision", "chunk_recall": "recall"},
)
