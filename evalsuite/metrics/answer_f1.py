"""Exact match and F1 of answers to questions; the best of a question's gold answers counts.

>>> from evalsuite.data.answer_forms import squad
>>> answer_scores([["the Rhine", "Rhine"], ["1867"]], ["Rhine!", "in 1867"], squad)
{'exact_match': 50.0, 'answer_f1': 83.33333333333333}

In which form answers are compared, the task says (`normal`, of `evalsuite.data.answer_forms`).
Guessing gives the answer that is right most often to every question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evalsuite.data.answer_forms import Normal
from evalsuite.metric import Answers, Metric

if TYPE_CHECKING:
    import numpy as np


def answer_scores(
    gold: Sequence[Sequence[str]], predicted: Sequence[str | None], normal: Normal
) -> dict[str, float]:
    """`exact_match` and `answer_f1` in percent; the best of a question's gold answers counts.

    Args:
        gold: the answers that are right, a question.
        predicted: one answer a question; None is none, and scores 0.
        normal: `squad`, or `mlqa(language)`.

    Raises:
        ValueError: no questions, one without gold answers, or not as many predictions.
    """
    if len(gold) != len(predicted):
        raise ValueError(f"{len(predicted)} predicted answers for {len(gold)} questions")
    if not gold or not all(gold):
        raise ValueError("no questions to score" if not gold else "a question without answers")
    exact = f1 = 0.0
    for answers, answer in zip(gold, predicted, strict=True):
        if answer is not None:
            exact += normal(answer) in [normal(one) for one in answers]
            f1 += answer_f1(answers, answer, normal)
    return {"exact_match": 100 * exact / len(gold), "answer_f1": 100 * f1 / len(gold)}


def answer_f1(gold: Sequence[str], said: str, normal: Normal) -> float:
    """F1 of one answer against the best of the right ones, 0 to 1; 0 where there are none.

    Where the right answer is the empty text, of a question without an answer, it is 1 for an empty
    answer and else 0, as in SQuAD 2.0's `evaluate-v2.0.py` (Rajpurkar et al. 2018).
    """
    words = normal(said).split()
    found = (_f1(words, normal(one).split()) if one else float(not words) for one in gold)
    return max(found, default=0.0)


def _f1(said: Sequence[str], right: Sequence[str]) -> float:
    """Of token counts; 0 where none is shared, also where both have none."""
    shared = (Counter(said) & Counter(right)).total()
    if not shared:
        return 0.0
    precision, recall = shared / len(said), shared / len(right)
    return 2 * precision * recall / (precision + recall)


def _normal(answers: Answers) -> Normal:
    task: Any = answers.task
    normal: Normal = task.normal(answers.language)
    return normal


def _score(answers: Answers) -> dict[str, float]:
    """Over the questions whose answers are not hidden."""
    shown = answers.shown()
    return answer_scores(shown.gold, shown.predicted, _normal(answers))


def _chance(answers: Answers) -> float:
    gold = answers.shown().gold
    if not gold:
        raise ValueError("no gold answers to guess from")
    (answer, _), *_ = Counter(right[0] for right in gold).most_common(1)
    return answer_scores(gold, [answer] * len(gold), _normal(answers))["answer_f1"]


def _parts(answers: Answers) -> np.ndarray:
    """F1 of each answer; questions whose answers are hidden add nothing."""
    import numpy as np

    normal = _normal(answers)
    rows = zip(answers.gold, answers.predicted, strict=True)
    return np.array([(answer_f1(gold, said, normal), bool(gold)) for gold, said in rows], float)


METRIC = Metric(
    {"answer_f1": "answer F1", "exact_match": "exact match"},
    "answers",
    _score,
    _chance,
    _parts,
    needs=("normal",),
    hub={"answer_f1": "f1", "exact_match": "exact_match"},
)
