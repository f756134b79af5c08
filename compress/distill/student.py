"""Cut a student from a teacher by keeping some of its layers (Sanh et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from compress.errors import StudentError


def choose_layers(wanted: int | Sequence[int], layers: int) -> list[int]:
    """Which of the teacher's layers the student keeps, 0 the lowest.

    >>> choose_layers(3, 12)
    [3, 7, 11]
    >>> choose_layers([0, 5], 6)
    [0, 5]

    A number spreads the layers evenly and ends with the last one, so that the student's top
    layer starts where the task head expects it.

    Raises:
        StudentError: more layers than there are, or an index outside.
    """
    if isinstance(wanted, int):
        if not 1 <= wanted <= layers:
            raise StudentError(f"layers: {wanted}: the teacher has {layers}; ask for 1 to {layers}")
        return [round((index + 1) * layers / wanted) - 1 for index in range(wanted)]
    chosen = list(wanted)
    if not chosen or sorted(set(chosen)) != chosen or not (chosen[0] >= 0 and chosen[-1] < layers):
        raise StudentError(
            f"layers: {chosen}: name rising layer numbers from 0 to {layers - 1}, none twice"
        )
    return chosen


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
    return student
