"""A score for one sentence, or for two: how similar they are, how many stars a review gives.

The model has one output, which is the score itself, in the unit of the training rows. Two models
agree on a row where their scores lie no further apart than a tenth of the standard deviation of the
first one's (`evalsuite.agreement.equal_answers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite.agreement.equal_answers import same_answer, tolerance
from evalsuite.formats import _agreement
from evalsuite.formats._by_head import predict as predict
from evalsuite.formats._by_head import scoring as scoring
from evalsuite.formats.pair import encode as encode
from evalsuite.inference.encoded import Encoded
from evalsuite.submission import layouts
from evalsuite.task import ScoreExample

if TYPE_CHECKING:
    import numpy as np

SUFFIX = "tsv"  # of prediction files
HEAD = "pair"  # the format whose head its models have
ANSWERS = "score"  # what the head gives per row
ARCHITECTURE = None  # that of `HEAD`
FIXED_LABELS = ()
to_text, read_file = layouts.one_per_line, layouts.read_scores
READS = "score"  # the kind of answer its rows hold
ALSO = ("spearman", "pearson", "mae")  # scored next to each task's main metric
TWO_TEXTS = True  # whether a row is read as two texts at once
align = _agreement.align_in_order
DECIMALS = 6  # of a score in predictions


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
