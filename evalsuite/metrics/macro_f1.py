"""F1 of each label, mean over labels: a rare label counts as much as a frequent one.

>>> macro_f1(["a", "a", "a", "b"], ["a", "a", "a", "a"])
42.857142857142854

Labels are those of the rows, gold or predicted, as scikit-learn's `f1_score(average="macro")` takes
them. Guessing gives every row the label that scores highest.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from evalsuite.metric import Answers, Metric

if TYPE_CHECKING:
    import numpy as np


def macro_f1(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> float:
    """In percent.

    Raises:
        ValueError: no rows, or not as many predictions as rows.
    """
    if not gold:
        raise ValueError("no rows to score")
    return float(_of_sums(_counts(gold, predicted).sum(0)))


def _counts(gold: Sequence[Any], predicted: Sequence[Any]) -> np.ndarray:
    """Of each row and label: right, predicted, gold; `[rows, 3 x labels]` of 0 and 1."""
    import numpy as np

    labels = {label: n for n, label in enumerate(dict.fromkeys([*gold, *predicted]))}
    counts = np.zeros((len(gold), 3, len(labels)))
    for row, (right, said) in enumerate(zip(gold, predicted, strict=True)):
        counts[row, 0, labels[said]] = right == said
        counts[row, 1, labels[said]] = counts[row, 2, labels[right]] = 1
    return counts.reshape(len(gold), -1)


def _of_sums(sums: np.ndarray) -> np.ndarray:
    """Macro F1 from sums of `_counts`, `[..., 3 x labels]` to `[...]`."""
    import numpy as np

    right, said, there = np.split(sums, 3, axis=-1)
    either = said + there
    f1 = 2 * right / np.where(either > 0, either, 1)
    labels = (either > 0).sum(-1)  # one that no row has counts in no mean
    return np.asarray(100 * f1.sum(-1) / np.where(labels > 0, labels, 1))


def _score(answers: Answers) -> dict[str, float]:
    shown = answers.shown()
    return {"macro_f1": macro_f1(shown.gold, shown.predicted)}


def _chance(answers: Answers) -> float:
    gold = answers.shown().gold
    if not gold:
        raise ValueError("no gold labels to guess from")
    return max(macro_f1(gold, [label] * len(gold)) for label in dict.fromkeys(gold))


def _parts(answers: Answers) -> np.ndarray:
    """Rows whose label is hidden add nothing."""
    import numpy as np

    hidden = np.array([gold is None for gold in answers.gold])
    counts = _counts(answers.gold, answers.predicted)
    counts[hidden] = 0
    return counts


METRIC = Metric(
    {"macro_f1": "macro F1"}, "label", _score, _chance, _parts, _of_sums, hub={"macro_f1": "f1"}
)
