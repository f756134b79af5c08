"""Which order the labels of a student are in, and teachers that have other labels.

>>> label_order(teacher, [TASKS.get("xnli")], True, "set labels: 0")
('entailment', 'neutral', 'contradiction')

Gold labels are numbered as their task numbers them, logits as each teacher does. Both are matched
by the names of the labels: teachers and student are put in the task's order before anything is
compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

from compress.errors import StudentError
from evalsuite.inference.label_order import few, naming_hint, same_names
from evalsuite.inference.predictor import Predictor
from evalsuite.inference.task_head import suits
from evalsuite.task import Task


def label_order(
    teacher: Predictor, tasks: Sequence[Task], gold: bool, remedy: str
) -> tuple[str, ...]:
    """The teacher's labels, in the order of the first task that has them; none for an encoder.

    Args:
        gold: whether gold labels of the tasks are used.
        remedy: what to do where the teacher has others.

    Raises:
        StudentError: they are, and a task has other labels than the teacher.
    """
    own = tuple(teacher.labels)
    fitting = [task for task in tasks if own and suits(task, own, teacher.answers)]
    for task in tasks:
        if task.format == "ranking":  # queries and passages have no labels
            continue
        if gold and task not in fitting:
            raise StudentError(
                f"gold labels of {task.name} are {few(task.labels)}, but "
                f"{teacher.directory.name} answers with {few(own) or 'nothing'} "
                f"({teacher.answers} per row); {remedy}"
                + naming_hint(own, task.labels, teacher.directory.name)
            )
    return tuple(fitting[0].labels) if fitting and len(own) > 1 else own


def numbered_alike(tasks: Sequence[Task], labels: Sequence[str]) -> list[Task]:
    """The tasks, those with these labels in another order with them in this one.

    >>> wanted = ("contradiction", "entailment", "neutral")
    >>> [task.labels for task in numbered_alike([TASKS.get("xnli")], wanted)]
    [('contradiction', 'entailment', 'neutral')]
    """
    found = []
    for task in tasks:
        if same_names(task.labels, labels):
            task = copy(task)
            task.labels = tuple(labels)
        found.append(task)
    return found


def require_labels(other: Predictor, labels: Sequence[str], teacher: Predictor) -> None:
    """Raise StudentError unless a further teacher gives the same answers, in any order."""
    if same_names(other.labels, labels) and other.answers == teacher.answers:
        return
    raise StudentError(
        f"others: {other.directory.name} answers with {few(other.labels) or 'nothing'} "
        f"({other.answers} per row), {teacher.directory.name} with {few(labels) or 'nothing'} "
        f"({teacher.answers} per row); only logits of the same labels are averaged"
        + naming_hint(other.labels, labels, other.directory.name)
    )
