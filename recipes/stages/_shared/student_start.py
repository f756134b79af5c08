"""A checkpoint that a student starts from, and its teachers, as far as they are known ahead.

>>> gets_head(config, Artifact("checkpoint"))    # an encoder; config matches logits
True
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from compress.distill import model_rules, rules
from compress.errors import StudentError
from evalsuite.inference.task_head import answers_of_task, head_of_task
from evalsuite.opening.tokenizer import same_ids, same_tokenizer
from recipes.errors import StageInputError
from recipes.stages._shared.contract import OWN_TOKENIZER, Artifact
from recipes.stages._shared.planned_model import PlannedModel
from transfer.find_task import find_task


class Matching(rules.Terms, Protocol):
    """What is read of the stage's configuration."""

    @property
    def tasks(self) -> Collection[str]:
        """Tasks whose rows are trained on."""


def heads_matched(config: Matching) -> bool:
    """Whether outputs of heads are matched, so that the student needs one."""
    return config.logits > 0 or config.labels > 0


def gets_head(config: Matching, student: Artifact) -> bool:
    """Whether the student is known to be an encoder alone, and gets its teacher's kind of head."""
    return heads_matched(config) and _headless(student)


def head_of_student(config: Matching, student: Artifact, teacher: str | None) -> str | None:
    """The task of the head that the student ends with.

    Args:
        teacher: task of the teacher's head.
    """
    if _headless(student) and not heads_matched(config):
        return None
    return teacher or student.task


def _headless(model: Artifact) -> bool:
    if model.head is not None:
        return model.head.format is None
    return model.task is None and not model.external


def other_head(config: Matching, student: Artifact, teacher: Artifact) -> list[str]:
    """What is wrong where outputs are matched and both heads are known to be others."""
    own, theirs = _head(student), _head(teacher)
    if own is None or theirs is None or not heads_matched(config):
        return []
    if theirs.format is None and config.labels == 0:  # no logits are matched then
        return []
    return model_rules.other_head(own, theirs)


def _head(model: Artifact) -> model_rules.Head | None:
    """What is known of a model's head; None where nothing is."""
    if model.task is not None:
        task = find_task(model.task)
        return model_rules.Head(head_of_task(task), tuple(task.labels), answers_of_task(task))
    if model.head is not None:
        return model_rules.Head(model.head.format, model.head.labels, model.head.answers)
    return None if model.external else model_rules.Head(None)


def planned_student(
    config: Any, teacher: PlannedModel, students: Sequence[PlannedModel]
) -> PlannedModel:
    """The student as far as it is known ahead.

    Args:
        config: of `distill`.
        students: the checkpoint that it starts from, where there is one.

    Raises:
        StudentError: it is larger than what it is cut from, or the teacher has no such layers.
    """
    from compress.distill.student import config_of_student

    start = next(iter(students), teacher)
    if students and start.head is None and heads_matched(config):
        start = replace(start, head=teacher.head, labels=teacher.labels)
    found = start
    if not students or config.layers is not None:
        shape = config.width, config.heads, config.ffn
        whose = "student" if students else "teacher"
        cut = config_of_student(start.config, config.layers, *shape, whose)
        found = PlannedModel(cut, start.head, start.labels)
    theirs = teacher.shape().layers
    problems = rules.relation_problem(config.relation_layer, theirs)
    problems += rules.matched_layers(
        config.teacher_layers, config.hidden, found.shape().layers, theirs
    )
    if problems:
        raise StudentError("\n".join(problems))
    return found


def refuse_other(other: Artifact, teacher: Artifact, name: str) -> None:
    """Raise StageInputError where a further teacher is known not to fit the first.

    A stage of a recipe may make a tokenizer that is equal to another's; whether it does is known
    when both are there.

    Args:
        name: of the further one.
    """
    known = not (other.external or teacher.external)  # else labels are compared by name
    if known and other.task != teacher.task:
        raise StageInputError(
            f"others: a teacher trained on {other.task} cannot be averaged with one trained on "
            f"{teacher.task}"
        )
    made = any(str(one.tokenizer).startswith(OWN_TOKENIZER) for one in (other, teacher))
    if not made and _differ(other, teacher, same_ids):
        raise StageInputError(model_rules.other_pieces(name))


def _differ(one: Artifact, other: Artifact, same: Callable[[Path, Path], bool]) -> bool:
    """Whether two models are known to have different tokenizers."""
    first, second = one.tokenizer, other.tokenizer
    if first is None or second is None:
        return False
    if isinstance(first, Path) and isinstance(second, Path):
        return not same(first, second)
    return first != second


def apart(config: Matching, student: Artifact, teacher: Artifact) -> list[str]:
    """What cannot be matched, where student and teacher are known to have different tokenizers."""
    if not _differ(student, teacher, same_tokenizer):
        return []
    if teacher.task is not None:
        encoder, head = False, head_of_task(find_task(teacher.task))
    else:
        known = teacher.head
        encoder = known is not None and known.format is None
        head = known.format if known else None
    unlabelled = [name for name in config.tasks if find_task(name).by_embedding]
    tasks = bool(config.tasks)
    return rules.other_tokenizer(config, head, encoder, tasks=tasks, unlabelled=unlabelled)
