"""A score for one sentence, or for two: how similar they are, how many stars a review gives.

The model has one output, which is the score itself, in the unit of the training rows. A model
without a head scores two sentences by the cosine of their vectors, which has no unit. Two models
agree on a row where their scores lie no further apart than a tenth of the standard deviation of the
first one's (`evalsuite.agreement.equal_answers`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from evalsuite.agreement.equal_answers import same_answer, tolerance
from evalsuite.evaluation import Evaluation, Predicted
from evalsuite.formats import _agreement, _by_head
from evalsuite.formats.pair import encode as encode
from evalsuite.inference.encoded import Encoded
from evalsuite.retrieval.cosine import unit
from evalsuite.submission import layouts
from evalsuite.task import ScoreExample

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.retrieval.embedding import Embedder

SUFFIX = "tsv"  # of prediction files
HEAD = "pair"  # the format whose head its models have
ANSWERS = "score"  # what the head gives per row
ARCHITECTURE = None  # that of `HEAD`
FIXED_LABELS = ()
to_text, read_file = layouts.one_per_line, layouts.read_scores
READS = "score"  # the kind of answer its rows hold
ALSO = ("spearman", "pearson", "mae")  # scored next to each task's main metric
NOT_OF_COSINES = ("mae",)  # metrics in the unit of the rows
TWO_TEXTS = True  # whether a row is read as two texts at once
align = _agreement.align_in_order
DECIMALS = 6  # of a score in predictions


def predict(evaluation: Evaluation) -> Iterator[Predicted]:
    """What the head says of each row, or the cosine of its two sentences."""
    if evaluation.vectors is None:
        yield from _by_head.predict(evaluation)
        return
    for language, examples in evaluation.by_language():
        rows = [example for example in examples if isinstance(example, ScoreExample)]
        cosines = _cosines(evaluation.embedder(), rows)
        yield Predicted(language, examples, cosines, unscored=NOT_OF_COSINES)


def _cosines(embed: Embedder, rows: Sequence[ScoreExample]) -> list[float]:
    """Of the two sentences of each row."""
    first, second = (
        unit(embed([str(side) for side in sides]))
        for sides in ([row.first for row in rows], [row.second for row in rows])
    )
    return [round(float(value), DECIMALS) for value in (first * second).sum(1)]


def scoring(margin: bool) -> Literal["cosine"]:
    """How the vectors of a model without a head are compared."""
    return "cosine"


def decode(
    labels: Sequence[str],
    examples: Sequence[ScoreExample],
    encoded: Sequence[Encoded],
    outputs: Sequence[np.ndarray],
) -> list[float]:
    """The one logit of each row."""
    return [round(float(row[0]), DECIMALS) for row in outputs]


def gold(examples: Sequence[ScoreExample]) -> list[float | None]:
    """The score of each row, None where it is hidden."""
    return [example.score for example in examples]


def agreement(first: Sequence[float], second: Sequence[float]) -> float:
    """Percent of rows whose two scores are no further apart than the tolerance."""
    import numpy as np

    one, other = ([np.array([score]) for score in scores] for scores in (first, second))
    near = tolerance(one)
    same = [same_answer("score", a, b, near) for a, b in zip(one, other, strict=True)]
    return 100.0 * sum(same) / len(same)
