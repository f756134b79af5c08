"""Share of words with the right tag, whatever sentence they are in.

>>> token_accuracy([["DET", "NOUN"], ["VERB"]], [["DET", "VERB"], ["VERB"]])
66.66666666666667

Guessing gives every word the most frequent tag of the language.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite.metric import Answers, Metric
from evalsuite.metrics._tags import check, check_shape
from evalsuite.metrics.accuracy import accuracy, majority

if TYPE_CHECKING:
    import numpy as np


def token_accuracy(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> float:
    """Percent of words whose tags agree; a long sentence weighs more than a short one.

    Raises:
        ValueError: the two differ in sentences, or in the length of one.
    """
    check_shape(gold, predicted)
    return accuracy([tag for row in gold for tag in row], [tag for row in predicted for tag in row])


def _score(answers: Answers) -> dict[str, float]:
    check(answers)
    return {"token_accuracy": token_accuracy(answers.gold, answers.predicted)}


def _chance(answers: Answers) -> float:
    return majority([tag for row in answers.gold for tag in row])


def _parts(answers: Answers) -> np.ndarray:
    """Words with the right tag, over words."""
    import numpy as np

    rows = zip(answers.gold, answers.predicted, strict=True)
    right = [(sum(a == b for a, b in zip(g, p, strict=True)), len(p)) for g, p in rows]
    return np.array(right, dtype=float)


METRIC = Metric(
    {"token_accuracy": "token accuracy"},
    "tags",
    _score,
    _chance,
    _parts,
    hub={"token_accuracy": "accuracy"},
)
