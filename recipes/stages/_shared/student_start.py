"""A checkpoint that a student starts from, and its teachers, as far as they are known ahead.

>>> gets_head(config, Artifact("checkpoint"))    # an encoder; config matches logits
True
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

from compress.distill import model_rules, rules
from evalsuite.inference.task_head import head_of_task
from evalsuite.opening.tokenizer import same_ids, same_tokenizer
from recipes.errors import StageInputError
from recipes.stages._shared.contract import OWN_TOKENIZER, Artifact
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
