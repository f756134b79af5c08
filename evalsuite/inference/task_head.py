"""The head that a task's models have, and whether a given model has it.

>>> head_of_task(TASKS.get("xnli")), answers_of_task(TASKS.get("xnli"))
('pair', 'label')
>>> suits(TASKS.get("xnli"), ("neutral", "entailment", "contradiction"), "label")
True
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite.inference.label_order import same_names
from evalsuite.registry import FORMATS

if TYPE_CHECKING:
    from evalsuite.inference.checkpoint_config import Answers
    from evalsuite.task import Format, Task

PROBLEMS: dict[Answers, str | None] = {  # `problem_type` in a config
    "label": None,
    "labels": "multi_label_classification",
    "score": "regression",
}
GIVES: dict[Answers, str] = {
    "label": "one label per row",
    "labels": "each of its labels by itself",
    "score": "a score",
}


def head_of_task(task: Task) -> Format | None:
    """The format whose head its models have; None where embeddings are scored."""
    head: Format | None = FORMATS.get(task.format).HEAD
    return head


def answers_of_task(task: Task) -> Answers:
    """What the head of its models gives per row."""
    answers: Answers = FORMATS.get(task.format).ANSWERS
    return answers


def reads_two_texts(task: Task) -> bool:
    """Whether a row of the task is read as two texts at once."""
    if task.two_texts is not None:
        return task.two_texts
    return bool(FORMATS.get(task.format).TWO_TEXTS)


def head_reads_two_texts(head: str | None, tasks: Sequence[Task]) -> bool:
    """Whether a model with a head reads two texts at once.

    As the tasks do that have its head, or as its format does where no task has it.
    """
    if head is None:
        return False
    fitting = [task for task in tasks if head_of_task(task) == head]
    if fitting:
        return any(map(reads_two_texts, fitting))
    return bool(FORMATS.get(head).TWO_TEXTS)


def by_embedding(task: Task, head: bool) -> bool:
    """Whether vectors of sentences are compared, and no head is scored.

    A model without a head scores two sentences by the cosine of their vectors.

    Args:
        head: whether the model has one.
    """
    return task.by_embedding or (not head and task.format == "regression" and reads_two_texts(task))


def suits(task: Task, labels: Sequence[str], answers: Answers) -> bool:
    """Whether a head answers as the task asks, with its labels in any order.

    A head with one score fits every task of regression, whatever the score is called.
    """
    if answers != answers_of_task(task):
        return False
    one_score = answers == "score" and len(labels) == len(task.labels) == 1
    return one_score or same_names(labels, task.labels)
