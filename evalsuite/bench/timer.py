"""Times batches of token ids on an open model.

>>> timer = Timer(open_model(directory), tokenization.pad_id(directory))
>>> timer.one([[0, 5, 2]])
0.0031
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evalsuite.inference.batch_runner import pad
from evalsuite.inference.batching import by_tokens
from evalsuite.inference.predictor import Predictor

REPEATS = 5  # at most, of a cell of the grid or a language's text
LONG = 0.3  # seconds of them, after which the least will do

Batch = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Timer:
    """Seconds that batches take; padding and what it needs are not counted."""

    model: Predictor
    pad_id: int

    @property
    def wanted(self) -> tuple[str, ...]:
        """The outputs asked for: what the head says, or the last layer."""
        model = self.model
        return ("logits",) if model.labels else (f"hidden_states.{model.layers}",)

    def one(self, batch: Batch, width: int = 0) -> float:
        """One batch, padded to a width or to its longest row."""
        ids, mask = pad(batch, self.pad_id, width)
        started = time.perf_counter()
        self.model(ids, mask, self.wanted)
        return time.perf_counter() - started

    def in_turn(self, batches: Sequence[Batch]) -> float:
        """Batches one after the other, as wide as `evaluate` makes them."""
        return sum(self.one(batch, self._width(batch)) for batch in batches)

    def all(self, batches: Sequence[Batch]) -> float:
        """Batches as `evaluate` runs them, several at the same time where there are many."""
        padded = [pad(batch, self.pad_id, self._width(batch)) for batch in batches]
        started = time.perf_counter()
        for _ in self.model.run_batches(padded, self.wanted):
            pass
        return time.perf_counter() - started

    def batches(self, sequences: Sequence[Sequence[int]]) -> list[Batch]:
        """Batches of similar length, as `evaluate` makes them."""
        batching = self.model.batching
        widths = batching.widths([len(ids) for ids in sequences], self.model.max_length)
        chosen = by_tokens(widths, batching.tokens)
        return [[sequences[index] for index in batch] for batch in chosen]

    def _width(self, batch: Batch) -> int:
        return self.model.batching.widths([max(map(len, batch))], self.model.max_length)[0]


def repeated(run: Callable[[], float], *, least: int) -> tuple[float, ...]:
    """Seconds of each run: `least` of them, more while they take next to none."""
    seconds: list[float] = []
    while len(seconds) < least or (len(seconds) < REPEATS and sum(seconds) < LONG):
        seconds.append(run())
    return tuple(seconds)
