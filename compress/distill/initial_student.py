"""Where a student starts: the teacher's own layers, those made narrower, or another checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.distill import rules
from compress.distill.greedy_layers import greedy_layers
from compress.distill.model_rules import Head, other_head
from compress.distill.narrow import narrow
from compress.distill.new_head import start_of
from compress.distill.options import Options
from compress.distill.rules import choose_layers, layers_problem
from compress.distill.student import cut
from compress.errors import StudentError
from evalsuite.find_family import find
from evalsuite.inference.checkpoint_config import answers_of, head_of, labels_of, model_config
from transfer.loop.types import Progress, Tensors


@dataclass(frozen=True, slots=True)
class Start:
    """A student before training.

    Attributes:
        kept: layers of the model that it started from, counted from 0.
        matched: the teacher's layer for each of its layers; empty where hidden states are not
            matched.
    """

    model: Any
    kept: list[int]
    matched: list[int]


def start(
    teacher: Any,
    teacher_dir: Path,
    options: Options,
    samples: Iterable[Tensors],
    progress: Progress = lambda fraction, text: None,
) -> Start:
    """Where the student starts, and which of the teacher's layers each student layer is matched to.

    Args:
        teacher: None for a bundle, where `options.student` is given.
        samples: batches of the training text.

    Raises:
        StudentError: it does not fit its teacher, or there are no such layers.
    """
    if options.student is None:
        if options.layer_choice == "greedy" and options.shape.is_given():
            samples = list(samples)  # they are read twice
        kept = _kept(teacher, options, samples, progress)
        student = cut(teacher, kept)
        if options.shape.is_given():
            student = narrow(student, options.shape, samples)
        return Start(student, kept, matched(kept, teacher, options))
    _require_alike(teacher_dir, options.student, options)
    headed = options.logits > 0 or options.labels > 0
    student = start_of(options.student, teacher_dir, teacher, headed)
    whole = student.config.num_hidden_layers
    if whole == 0:  # of a static model
        return Start(student, [], [])
    kept = _kept(student, options, samples, progress)
    if len(kept) < whole:
        student = cut(student, kept)
    if options.hidden == 0:
        return Start(student, kept, [])
    layers = teacher.config.num_hidden_layers
    if whole == layers or options.teacher_layers is not None:
        return Start(student, kept, matched(kept, teacher, options))
    if len(kept) > layers:
        raise StudentError(
            f"student: {options.student.name} starts with {len(kept)} layers, and the teacher has "
            f"{layers}, too few to match each one's hidden states to another; set layers: {layers} "
            "or fewer, or hidden: 0 and relations: 1"
        )
    return Start(student, kept, choose_layers(len(kept), layers))


def _kept(
    model: Any, options: Options, samples: Iterable[Tensors], progress: Progress
) -> list[int]:
    """The layers of a model that become the student's."""
    if options.layer_choice == "spaced" or not isinstance(options.layers, int):
        return layers_of(model, options)
    if problem := layers_problem(options.layers, model.config.num_hidden_layers, _whose(options)):
        raise StudentError(f"layers: {problem}")
    first = _keeps_first(model)
    return greedy_layers(model, options.layers, samples, keep_first=first, progress=progress)


def matched(kept: list[int], teacher: Any, options: Options) -> list[int]:
    """The teacher's layer that each student layer is matched to: the one that it was; the top one
    is matched to the teacher's top layer also where another was kept.

    Raises:
        StudentError: the layers that the options name are not the teacher's, or not one for each.
    """
    if options.teacher_layers is not None:
        layers = teacher.config.num_hidden_layers
        asked = options.teacher_layers
        if problems := rules.matched_layers(asked, options.hidden, len(kept), layers):
            raise StudentError("\n".join(problems))
        return list(asked)
    if options.layer_choice == "spaced":
        return kept
    return [*kept[:-1], int(teacher.config.num_hidden_layers) - 1]


def _require_alike(teacher: Path, student: Path, options: Options) -> None:
    """Raise StudentError unless two models whose outputs are matched have one kind of head with the
    same labels, in any order; an encoder gets a head."""
    if options.logits == 0 and options.labels == 0:
        return
    heads = []
    for path in (student, teacher):
        config = model_config(path)
        heads.append(Head(head_of(config), tuple(labels_of(config)), answers_of(config)))
    if problems := other_head(*heads):
        raise StudentError("\n".join(problems))


def layers_of(model: Any, options: Options) -> list[int]:
    """Which of a model's layers the options name."""
    layers = model.config.num_hidden_layers
    if layers == 0:  # of a static model
        return []
    wanted = layers if options.layers is None else options.layers
    return choose_layers(wanted, layers, _keeps_first(model), _whose(options))


def _whose(options: Options) -> str:
    """What the model is called that the student starts from."""
    return "teacher" if options.student is None else "student"


def _keeps_first(model: Any) -> bool:
    """Whether a model of this family cannot be without its first layer."""
    family = find(model)
    return family is not None and family.first_layer_reason(model.config) is not None


def origin(kept: Sequence[int], student: Any, options: Options) -> str:
    """For the card.

    Args:
        kept: layers of the model that the student started from.
    """
    numbers = ", ".join(map(str, kept))
    if options.student is not None:
        return (
            f"layers {numbers} of " if options.layers is not None else ""
        ) + options.student.name
    text = f"the teacher's layers {numbers}"
    config = student.config
    shape = f"{config.hidden_size} wide, {config.num_attention_heads} heads"
    return f"{text}, narrowed to {shape}" if options.shape.is_given() else text
