"""Which models can learn from which, as `compress.distill.rules` says it of options.

>>> static_student(options, "lingopress-static", layers=2)
['layers: a static student has none; leave layers out']
"""

from __future__ import annotations

from typing import NamedTuple

from compress.distill.rules import Terms
from evalsuite.inference.label_order import few, naming_hint, same_names
from evalsuite.static.kind import MODEL_TYPE


class Head(NamedTuple):
    """A model's head, as far as it is known.

    Attributes:
        format: of the tasks whose rows it reads; None for an encoder.
        labels: their names; none where they are not known.
        answers: what it gives per row; None where that is not known.
    """

    format: str | None
    labels: tuple[str, ...] = ()
    answers: str | None = None

    def named(self) -> str:
        """`a pair head`, or `no head`."""
        return f"a {self.format} head" if self.format else "no head"


def other_head(student: Head, teacher: Head) -> list[str]:
    """What is wrong where outputs are matched and student and teacher have other heads.

    >>> other_head(Head("pair", ("cat", "dog"), "label"), Head("pair", ("yes", "no"), "label"))
    ['student: has the labels cat, dog (label per row), its teacher yes, no (label per row); ...']
    """
    if student.format is None and teacher.format is not None:
        return []  # it gets such a head
    if student.format != teacher.format:
        return [
            f"student: has {student.named()}, its teacher {teacher.named()}; set logits: 0 and "
            "labels: 0, or train the head first"
        ]
    if student.format is None:
        return []
    labels, other, kinds = teacher.labels, student.labels, {student.answers, teacher.answers}
    alike = not labels or not other or same_names(labels, other)
    if alike and (None in kinds or len(kinds) == 1):
        return []
    return [
        f"student: has the labels {few(other)} ({student.answers} per row), its teacher "
        f"{few(labels)} ({teacher.answers} per row); outputs are matched label by label"
        + naming_hint(other, labels, "the student")
        + naming_hint(labels, other, "the teacher")
    ]


def other_pieces(name: str) -> str:
    """What is wrong with a further teacher that splits text into other pieces than the first.

    Args:
        name: of the further teacher.
    """
    return (
        f"others: {name} splits text into other pieces than the teacher, and all teachers are "
        "given the same token ids; give teachers of one tokenizer, such as two of XLM-R (trimmed "
        f"alike, or not trimmed), or leave {name} out"
    )


def static_student(
    terms: Terms, family: object, layers: object = None, *, checkpointing: bool = False
) -> list[str]:
    """What cannot be matched or computed where the student is a table of vectors, without layers.

    Args:
        family: model type of the student; nothing is wrong with others.
        layers: that are asked for.
        checkpointing: whether activations are to be computed again.
    """
    if family != MODEL_TYPE:
        return []
    problems = []
    if terms.hidden > 0 or terms.relations > 0:
        problems.append(
            "hidden, relations: a static student has no layers to match; set hidden: 0 and "
            "relations: 0"
        )
    if layers is not None:
        problems.append("layers: a static student has none; leave layers out")
    if checkpointing:
        problems.append(
            "gradient_checkpointing: a static student has no layers whose activations could be "
            "computed again; set it to false"
        )
    return problems
