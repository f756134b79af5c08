"""What `check` knows of the head of a model from outside.

>>> refuse_other_head(Artifact("checkpoint", head=HeadFacts("tagging")), xnli, "models")
StageInputError: models: a head of the format tagging cannot do xnli, which needs one of the ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalsuite.inference.label_order import few, naming_hint
from evalsuite.inference.task_head import GIVES, answers_of_task, head_of_task, suits
from evalsuite.own.declared import declared
from evalsuite.task import Task
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact
from transfer.find_task import find_task

if TYPE_CHECKING:
    from evalsuite.inference.checkpoint_config import Answers


def refuse_other_head(artifact: Artifact, task: Task, what: str) -> None:
    """Raise StageInputError where a head is known, and is none of this task."""
    head, needed = artifact.head, head_of_task(task)
    if head is None or needed is None:
        return
    if head.format is None:
        raise StageInputError(f"{what}: an encoder without a head cannot do {task.name}")
    if head.format != needed:
        raise StageInputError(
            f"{what}: a head of the format {head.format} cannot do {task.name}, which needs one of "
            f"the format {needed}"
        )
    if not task.labels:
        return
    answers = answers_of_task(task)
    if head.answers is not None and head.answers != answers:
        raise StageInputError(
            f"{what}: the model predicts {GIVES[head.answers]}; {task.name} needs {GIVES[answers]}"
        )
    if head.labels and not suits(task, head.labels, answers):
        raise StageInputError(
            f"{what}: the model predicts {few(head.labels)}; {task.name} needs {few(task.labels)}"
            + naming_hint(head.labels, task.labels, "the model")
        )
    if head.size is not None and head.size != len(task.labels):
        raise StageInputError(
            f"{what}: the head has {head.size} labels; {task.name} needs {few(task.labels)}"
        )


def trained_suits(name: str, task: Task) -> bool:
    """Whether a head trained on the task of this name gives what another task needs.

    >>> trained_suits("mnli", find_task("xnli")), trained_suits("pawsx", find_task("xnli"))
    (True, False)
    """
    trained = find_task(name)
    return suits(task, trained.labels, answers_of_task(trained))


def refuse_other_task(artifact: Artifact, task: Task, what: str) -> None:
    """Raise StageInputError where a model of a stage has no head, or one of another task."""
    if artifact.task is None:
        raise StageInputError(f"{what}: an encoder without a head cannot do {task.name}")
    if not trained_suits(artifact.task, task):
        raise StageInputError(
            f"{what}: a head trained on {artifact.task} cannot do {task.name}, its labels are "
            "others"
        )


def head_format(artifact: Artifact) -> str | None:
    """Format of a model's head; None where it has none, or where that is not known."""
    if artifact.task is not None:
        return head_of_task(find_task(artifact.task))
    return artifact.head.format if artifact.head is not None else None


def head_answers(artifact: Artifact) -> Answers | None:
    """What a model's head gives per row; None where it has none, or where that is not known."""
    if artifact.task is not None:
        return answers_of_task(find_task(artifact.task))
    return artifact.head.answers if artifact.head is not None else None


def text_of(artifact: Artifact) -> str | None:
    """The task whose text a model from outside is compared on, where its head says enough.

    The first declared task with such a head will do; its labels need not be the head's, but one
    with the same is taken first.
    """
    head = artifact.head
    if head is None or head.format is None:
        return None
    fitting = {
        name: suits(task, head.labels, answers_of_task(task))
        for name, task in declared().items()
        if head_of_task(task) == head.format and head.answers in (None, answers_of_task(task))
    }
    return max(fitting, key=fitting.__getitem__, default=None)
