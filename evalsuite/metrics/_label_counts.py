"""How often each label is right, predicted and gold, of rows with one label or with any of several.

>>> METRIC = f1_metric("macro", macro)

A row that has one label is counted for the labels that some row has or is given; of rows with any
of several, each label that the row is annotated with counts. Both are what scikit-learn's
`f1_score` takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from evalsuite.metric import Answers, Metric, is_hidden

if TYPE_CHECKING:
    import numpy as np


def counts(answers: Answers) -> np.ndarray:
    """Of each row and label: right, predicted, gold, counted; `[rows, 4 x labels]` of 0 and 1.

    Rows whose labels are hidden add nothing.

    Raises:
        ValueError: not as many predictions as rows.
    """
    import numpy as np

    if len(answers.gold) != len(answers.predicted):
        raise ValueError(f"{len(answers.predicted)} predictions for {len(answers.gold)} rows")
    several = any(isinstance(gold, Mapping) for gold in answers.gold)
    every = answers.task.labels if several else [*answers.gold, *answers.predicted]
    numbers = {label: n for n, label in enumerate(dict.fromkeys(every))}
    found = np.zeros((len(answers.gold), 4, len(numbers)))
    for row, (gold, said) in enumerate(zip(answers.gold, answers.predicted, strict=True)):
        if is_hidden(gold):
            continue
        if not isinstance(gold, Mapping):
            found[row, 0, numbers[said]] = gold == said
            found[row, (1, 3), numbers[said]] = found[row, 2:, numbers[gold]] = 1
            continue
        for label, present in gold.items():
            given = label in said
            found[row, :, numbers[label]] = (present and given, given, present, 1)
    return found.reshape(len(answers.gold), -1)


def macro(sums: np.ndarray) -> np.ndarray:
    """F1 of each label, mean over the labels that count, in percent.

    From `[..., 4 x labels]` to `[...]`. A label that is neither gold nor predicted has an F1 of 0
    where it counts.
    """
    import numpy as np

    right, said, there, counted = np.split(sums, 4, axis=-1)
    either = said + there
    f1 = 2 * right / np.where(either > 0, either, 1)
    labels = (counted > 0).sum(-1)  # one that no row has counts in no mean
    return np.asarray(100 * f1.sum(-1) / np.where(labels > 0, labels, 1))


def micro(sums: np.ndarray) -> np.ndarray:
    """F1 over all labels together, in percent; `[..., 4 x labels]` to `[...]`."""
    import numpy as np

    right, said, there, _ = (part.sum(-1) for part in np.split(sums, 4, axis=-1))
    either = said + there
    return np.asarray(100 * 2 * right / np.where(either > 0, either, 1))


def guesses(answers: Answers) -> list[list[object]]:
    """Constant answers, among which the best is what guessing scores; each is given to all rows.

    The most frequent label, the two most frequent ones and so on.
    """
    shown = answers.shown().gold
    often = {label: sum(gold.get(label, False) for gold in shown) for label in answers.task.labels}
    ranked = sorted(often, key=lambda label: -often[label])
    return [[tuple(ranked[: n + 1])] * len(shown) for n in range(len(ranked))]


def sums_of_one(gold: Sequence[object]) -> np.ndarray:
    """The sums of `counts` where all rows are given one label, for each that rows have.

    `[labels, 4 x labels]`, of rows with one label each.
    """
    import numpy as np

    often = np.array([*Counter(gold).values()], dtype=float)
    given = np.diag(np.full(len(often), float(len(gold))))
    there = np.tile(often, (len(often), 1))
    return np.concatenate([np.diag(often), given, there, np.maximum(given, there)], axis=1)


def f1_metric(average: str, of_sums: Callable[[np.ndarray], np.ndarray]) -> Metric:
    """The metric `<average>_f1`; guessing gives every row the same answer, the best there is.

    Args:
        average: its name in scikit-learn, such as `macro`.
        of_sums: from summed counts to percent, as `macro`.
    """
    name = f"{average}_f1"

    def of(answers: Answers) -> float:
        if not answers.gold:
            raise ValueError("no rows to score")
        return float(of_sums(counts(answers).sum(0)))

    def chance(answers: Answers) -> float:
        shown = answers.shown()
        if not shown.gold:
            raise ValueError("no gold labels to guess from")
        if not any(isinstance(gold, Mapping) for gold in shown.gold):
            return float(of_sums(sums_of_one(shown.gold)).max())
        return max(of(replace(shown, predicted=said)) for said in guesses(shown))

    return Metric(
        {name: f"{average} F1"},
        "label",
        lambda answers: {name: of(answers.shown())},
        chance,
        counts,
        of_sums,
        also_reads=("labels",),
        details=(f"average:{average}",),
        hub={name: "f1"},
    )
