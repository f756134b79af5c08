"""Where a student starts: the teacher's own layers, those made narrower, or another checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from compress.distill.narrow import narrow
from compress.distill.options import Options
from compress.distill.rules import choose_layers
from compress.distill.student import cut
from compress.errors import StudentError
from evalsuite.find_family import find
from evalsuite.inference.checkpoint_config import answers_of, head_of, labels_of, model_config
from evalsuite.inference.label_order import few, naming_hint, same_names
from evalsuite.runtimes.torch import load_checkpoint
from transfer.loop.types import Tensors


def start(
    teacher: Any, teacher_dir: Path, options: Options, samples: Iterable[Tensors]
) -> tuple[Any, list[int]]:
    """Where the student starts, and which of the teacher's layers each student layer is matched to.

    Args:
        teacher: None for a bundle, where `options.student` is given.
    """
    if options.student is None:
        chosen = layers_of(teacher, options)
        student = cut(teacher, chosen)
        if options.shape.any():
            student = narrow(student, options.shape, samples)
        return student, chosen
    _require_alike(teacher_dir, options.student, options)
    student = load_checkpoint(options.student).float()  # whatever it is stored in
    whole = student.config.num_hidden_layers
    kept = layers_of(student, options)
    if len(kept) < whole:
        student = cut(student, kept)
    if options.hidden == 0:
        return student, []
    layers = teacher.config.num_hidden_layers
    return student, kept if whole == layers else choose_layers(len(kept), layers)


def _require_alike(teacher: Path, student: Path, options: Options) -> None:
    """Raise StudentError unless two models whose outputs are matched have one kind of head with the
    same labels, in any order."""
    if options.logits == 0 and options.labels == 0:
        return
    configs = [model_config(path) for path in (teacher, student)]
    heads = [head_of(config) for config in configs]
    if heads[0] != heads[1]:
        raise StudentError(
            f"{student.name} has {_named(heads[1])}, its teacher {_named(heads[0])}; "
            "set logits: 0 and labels: 0, or train the head first"
        )
    labels, other = (labels_of(config) for config in configs)
    kinds = [answers_of(config) for config in configs]
    if heads[0] is not None and (not same_names(labels, other) or kinds[0] != kinds[1]):
        raise StudentError(
            f"{student.name} has the labels {few(other)} ({kinds[1]} per row), its teacher "
            f"{few(labels)} ({kinds[0]} per row); outputs are matched label by label"
            + naming_hint(other, labels, student.name)
            + naming_hint(labels, other, teacher.name)
        )


def _named(head: str | None) -> str:
    return f"a {head} head" if head else "no head"


def layers_of(model: Any, options: Options) -> list[int]:
    """Which of a model's layers the options name."""
    layers = model.config.num_hidden_layers
    family = find(model)
    keep_first = family is not None and family.first_layer_reason(model.config) is not None
    wanted = layers if options.layers is None else options.layers
    return choose_layers(wanted, layers, keep_first)


def origin(chosen: Sequence[int], student: Any, options: Options) -> str:
    """For the card."""
    if options.student is not None:
        layers = "" if options.layers is None else f"{student.config.num_hidden_layers} layers of "
        return layers + options.student.name
    text = f"the teacher's layers {', '.join(map(str, chosen))}"
    config = student.config
    shape = f"{config.hidden_size} wide, {config.num_attention_heads} heads"
    return f"{text}, narrowed to {shape}" if options.shape.any() else text
