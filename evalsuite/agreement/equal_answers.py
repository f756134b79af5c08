"""When two models give a row the same answer, by what their heads give.

>>> same_answer("labels", np.array([1.2, -0.3]), np.array([0.4, -2.0]))
True

One label: the highest logit is of the same label. Several labels: the same labels have a
probability of one half or more. A score: no further apart than a tenth of the standard deviation of
the first model's scores over all rows (a tolerance and no correlation, which would not see that all
scores moved).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite.errors import ModelError
from evalsuite.inference.label_order import few, places, same_names

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.inference.checkpoint_config import Answers
    from evalsuite.inference.predictor import Predictor

NEAR = 0.1  # standard deviations that two equal scores lie apart, at most
_COUNTED: dict[Answers, str] = {
    "label": "labels",
    "labels": "sets of labels",
    "score": f"scores (within {NEAR:g} standard deviations)",
}


def counted(predictor: Predictor) -> str:
    """What the agreement with this model is a percentage of."""
    return _COUNTED[predictor.answers]


def label_places(first: Predictor, second: Predictor) -> list[int]:
    """Where the second model has the first one's labels.

    Raises:
        ModelError: its labels are others, or its head gives something else.
    """
    one, two = first.labels, second.labels
    if not same_names(one, two) or (one and first.answers != second.answers):
        raise ModelError(
            f"{second.directory.name} predicts {few(two) or 'nothing'} ({second.answers} per row), "
            f"{first.directory.name} {few(one) or 'nothing'} ({first.answers} per row); only equal "
            "answers can be compared"
        )
    return places(one, two)


def tolerance(scores: Sequence[np.ndarray]) -> np.ndarray:
    """How far apart two equal scores may be, `[labels]`.

    Where the model gives every row the same score, that is a rounding error.

    Args:
        scores: of the first model, `[labels]` each.
    """
    import numpy as np

    table = np.stack(scores)
    return np.asarray(np.maximum(NEAR * table.std(0), 1e-5 * np.abs(table).max(0)))


def same_answer(
    answers: Answers, a: np.ndarray, b: np.ndarray, near: np.ndarray | float = 0.0
) -> bool:
    """Whether the outputs `[labels]` of one row give the same answer.

    Args:
        near: of scores, as `tolerance` gives it.
    """
    if answers == "score":
        return bool((abs(a - b) <= near).all())
    if answers == "labels":
        return bool(((a >= 0) == (b >= 0)).all())
    return bool(a.argmax() == b.argmax())
