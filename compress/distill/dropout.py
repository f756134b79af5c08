"""How much a student forgets at random while it learns.

>>> with dropout(student, 0.0):
...     fit(student, data, loss, settings, work)
>>> student.config.hidden_dropout_prob  # of later training; it has not changed
0.1

A student that learns states and vectors of a teacher sees noise in what it is to match, where parts
of them are left out at random, and the draws took 12% of a step's time on a processor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

_RATES = ("attention_dropout", "dropout", "dropout_prob", "dropout_rate")  # as plain numbers


@contextmanager
def dropout(model: nn.Module, rate: float | None) -> Iterator[None]:
    """Within it all dropout of a model has this rate; None changes nothing.

    Args:
        rate: from 0 to below 1.
    """
    before: list[tuple[Any, str, float]] = []
    for module in model.modules() if rate is not None else ():
        names = ("p",) if isinstance(module, nn.Dropout) else _RATES
        before += [
            (module, name, value)
            for name in names
            if isinstance(value := getattr(module, name, None), float | int)
            and not isinstance(value, bool)
        ]
    try:
        for module, name, _ in before:
            setattr(module, name, rate)
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
