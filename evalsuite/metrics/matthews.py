"""Matthews correlation of gold and predicted labels: 100 where all are right, 0 by guessing.

>>> matthews(["a", "a", "b", "b"], ["a", "b", "b", "b"])
57.73502691896258

For any number of labels, as scikit-learn's `matthews_corrcoef` (Gorodkin 2004, the R_K statistic).
In percent, from -100 to 100; 0 where all rows have one label, or are given one.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from evalsuite.metric import Answers, Metric, is_hidden

if TYPE_CHECKING:
    import numpy as np


def matthews(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> float:
    """In percent.

    Raises:
        ValueError: no rows, or not as many predictions as rows.
    """
    if not gold:
        raise ValueError("no rows to score")
    return float(_of_sums(_counts(gold, predicted).sum(0)))


def _counts(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> np.ndarray:
    """Of each row: right, 1, and for each label predicted and gold; `[rows, 2 + 2 x labels]`.

    Rows whose label is hidden add nothing.
    """
    import numpy as np

    labels = {label: n for n, label in enumerate(dict.fromkeys([*gold, *predicted]))}
    found = np.zeros((len(gold), 2 + 2 * len(labels)))
    for row, (right, said) in enumerate(zip(gold, predicted, strict=True)):
        if is_hidden(right):
            continue
        found[row, 0], found[row, 1] = right == said, 1
        found[row, 2 + labels[said]] = 1
        found[row, 2 + len(labels) + labels[right]] = 1
    return found


def _of_sums(sums: np.ndarray) -> np.ndarray:
    """From sums of `_counts`, `[..., 2 + 2 x labels]` to `[...]`."""
    import numpy as np

    right, rows = sums[..., 0], sums[..., 1]
    said, there = np.split(sums[..., 2:], 2, axis=-1)
    covariance = right * rows - (said * there).sum(-1)
    spread = (rows**2 - (said**2).sum(-1)) * (rows**2 - (there**2).sum(-1))
    found = 100.0 * covariance / np.sqrt(np.where(spread > 0, spread, 1))
    return np.asarray(np.where(spread > 0, found, 0.0).clip(-100.0, 100.0))


def _score(answers: Answers) -> dict[str, float]:
    shown = answers.shown()
    return {"matthews": matthews(shown.gold, shown.predicted)}


def _parts(answers: Answers) -> np.ndarray:
    return _counts(answers.gold, answers.predicted)


METRIC = Metric(
    {"matthews": "Matthews correlation"},
    "label",
    _score,
    lambda answers: 0.0,
    _parts,
    _of_sums,
    limits=(-100.0, 100.0),
    hub={"matthews": "matthews_correlation"},
)
