"""Cut a student from a teacher by keeping some of its layers (Sanh et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from compress.distill.rules import choose_layers
from compress.errors import StudentError
from evalsuite.errors import FamilyError
from evalsuite.family import Family
from evalsuite.family_parts import Sizes
from evalsuite.find_family import family_of
from evalsuite.inference.token_types import read_types, separator_read


def config_of_student(
    teacher: Any,
    layers: int | Sequence[int] | None,
    width: int | None,
    heads: int | None,
    units: int | None,
    whose: str = "model",
) -> Any:
    """The transformers config of a student of this shape; what is None is the teacher's.

    Args:
        teacher: its transformers config.
        whose: what it is called in messages, such as `teacher`.

    Raises:
        UnknownNameError: the teacher's family is not known.
        StudentError: it has no such layers, or is smaller than what is asked for.
        FamilyError: the family cannot be without a layer that is left out.
    """
    family = family_of(teacher)
    sizes = sizes_of_student(teacher, width, heads, units, whose)
    keep_first = family.first_layer_reason(teacher) is not None
    wanted = sizes.layers if layers is None else layers
    chosen = choose_layers(wanted, sizes.layers, keep_first, whose)
    smaller = replace(sizes, layers=len(chosen))
    return family.with_sizes(family.with_layers(teacher, chosen), smaller)


def sizes_of_student(
    teacher: Any,
    width: int | None,
    heads: int | None,
    units: int | None,
    whose: str = "teacher",
) -> Sizes:
    """The sizes of a narrower student with all layers; what is None is the teacher's.

    Args:
        teacher: its transformers config.
        whose: what it is called in messages.

    Raises:
        UnknownNameError: the teacher's family is not known.
        StudentError: they do not fit into the teacher, or heads do not divide the width.
        FamilyError: its heads cannot have fewer dimensions.
    """
    family = family_of(teacher)
    old, old_size = family.sizes(teacher), family.head_size(teacher)
    new = replace(
        old,
        width=width or old.width,
        heads=heads_of_student(family, teacher, width, heads),
        feed_forward=units or old.feed_forward,
    )
    for key, asked, there in (
        ("width", new.width, old.width),
        ("heads", new.heads, old.heads),
        ("ffn", new.feed_forward, old.feed_forward),
    ):
        if asked > there:
            raise StudentError(f"{key}: {asked}: the {whose} has {there}; ask for fewer")
    if width is None and heads is None:
        return new
    if new.width % new.heads:
        raise StudentError(f"width {new.width} is no multiple of {new.heads} heads")
    size = new.width // new.heads
    if size > old_size:
        raise StudentError(
            f"heads: {new.heads} in a width of {new.width} have {size} dimensions each, and those "
            f"of the {whose} {old_size}; set heads: {-(-new.width // old_size)} or more"
        )
    if size < old_size and family.fixed_dimensions is not None:
        raise FamilyError(
            f"heads of {size} dimensions: those of this {family.name} keep their {old_size}, "
            f"because {family.fixed_dimensions}; ask for a width of {old_size} for each head"
        )
    return new


def heads_of_student(family: Family, teacher: Any, width: int | None, heads: int | None) -> int:
    """Heads as many as asked; else as wide as the teacher's, or as many where that cannot be.

    >>> heads_of_student(family, teacher, 384, None)   # of 12 heads in a width of 768
    6

    Args:
        teacher: its transformers config.
    """
    old, size = family.sizes(teacher), family.head_size(teacher)
    return heads or (width // size if width and width % size == 0 else old.heads)


def cut(teacher: Any, chosen: Sequence[int]) -> Any:
    """A model of the teacher's class with the chosen layers, everything else copied.

    Raises:
        UnknownNameError: the teacher's family is not known.
        FamilyError: the family cannot be without a layer that is left out.
    """
    family = family_of(teacher)
    student = type(teacher)(family.with_layers(teacher.config, chosen))
    stack = f"{family.stack_name(teacher)}."
    state = {}
    for name, value in teacher.state_dict().items():
        if name.startswith(stack):
            number, _, rest = name.removeprefix(stack).partition(".")
            if int(number) not in chosen:
                continue
            name = f"{stack}{chosen.index(int(number))}.{rest}"
        state[name] = value.clone()
    student.load_state_dict(state)
    read_types(student, separator_read(teacher))
    return student.eval()  # sentences are embedded before training
