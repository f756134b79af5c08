"""Where a student starts: the teacher's own layers, those made narrower, or another checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from compress.distill.narrow import narrow
from compress.distill.options import Options
from compress.distill.student import choose_layers, cut
from compress.errors import StudentError
from evalsuite.runtimes.torch import load_checkpoint
from transfer.train import Tensors


def start(
    teacher: Any, teacher_dir: Path, options: Options, samples: Iterable[Tensors]
) -> tuple[Any, list[int]]:
    """Where the student starts, and which of the teacher's layers each of its own is matched to."""
    layers = teacher.config.num_hidden_layers
    if options.student is None:
        chosen = layers_of(teacher, options)
        student = cut(teacher, chosen)
        if options.shape.any():
            student = narrow(student, options.shape, samples)
        return student, chosen
    theirs, own = (
        (directory / "tokenizer.json").read_bytes() for directory in (teacher_dir, options.student)
    )
    if theirs != own:
        raise StudentError(
            f"{options.student.name} has another tokenizer than its teacher {teacher_dir.name}; "
            "outputs are matched token by token"
        )
    student = load_checkpoint(options.student)
    if type(student) is not type(teacher) and (options.logits > 0 or options.labels > 0):
        raise StudentError(
            f"{options.student.name} is a {type(student).__name__}, its teacher a "
            f"{type(teacher).__name__}; set logits: 0 and labels: 0, or train the head first"
        )
    return student, choose_layers(student.config.num_hidden_layers, layers)


def layers_of(teacher: Any, options: Options) -> list[int]:
    """Which of the teacher's layers the options name."""
    layers = teacher.config.num_hidden_layers
    return choose_layers(layers if options.layers is None else options.layers, layers)


def origin(chosen: Sequence[int], student: Any, options: Options) -> str:
    """For the card."""
    if options.student is not None:
        return options.student.name
    text = f"the teacher's layers {', '.join(map(str, chosen))}"
    config = student.config
    shape = f"{config.hidden_size} wide, {config.num_attention_heads} heads"
    return f"{text}, narrowed to {shape}" if options.shape.any() else text
