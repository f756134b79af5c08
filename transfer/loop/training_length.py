"""How many batches a training has, from the number of its rows, of epochs and of steps."""

from __future__ import annotations

EPOCHS = 3.0  # of a training whose length is not given


def steps_for(
    examples: float, batch_size: int, epochs: float | None, most: int | None = None
) -> int:
    """Batches of a training, at least one: of this many epochs, and at most `most`.

    Without `epochs`, `most` decides alone; without both it is three epochs.

    >>> steps_for(100, 32, None, 1000), steps_for(100, 32, 2, 1000), steps_for(100, 32, None)
    (1000, 6, 9)
    """
    if epochs is None and most is not None:
        return most
    steps = max(1, round(examples * (EPOCHS if epochs is None else epochs) / batch_size))
    return steps if most is None else min(steps, most)
