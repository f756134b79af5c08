"""Cut a student from a teacher by keeping some of its layers (Sanh et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from compress.errors import StudentError
from evalsuite.inference.token_types import read_types, separator_read


def cut(teacher: Any, chosen: Sequence[int]) -> Any:
    """A model of the teacher's class with the chosen layers, everything else copied.

    Raises:
        StudentError: the architecture has no stack of layers to choose from.
    """
    encoder = getattr(teacher.base_model, "encoder", None)
    if encoder is None or not isinstance(getattr(encoder, "layer", None), nn.ModuleList):
        raise StudentError(
            f"{type(teacher).__name__} has no encoder.layer list; layer selection needs an "
            "encoder of the BERT family"
        )
    config = type(teacher.config).from_dict(teacher.config.to_dict())
    config.num_hidden_layers = len(chosen)
    student = type(teacher)(config)
    state = {}
    for name, value in teacher.state_dict().items():
        head, found, tail = name.partition("encoder.layer.")
        if found:
            number, _, rest = tail.partition(".")
            if int(number) not in chosen:
                continue
            name = f"{head}{found}{chosen.index(int(number))}.{rest}"
        state[name] = value.clone()
    student.load_state_dict(state)
    read_types(student, separator_read(teacher))
    return student
