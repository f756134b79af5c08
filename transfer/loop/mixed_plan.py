"""Batches of several parts, in memory or streamed, in an order that is drawn before training.

>>> parts = [in_memory([4, 2], batch_size=2, seed=1), stream]
>>> MixedPlan(parts, [0.5, 0.5], steps=100, seed=1)[7].part
1

Which part each batch is of follows from the seed; the batches of a stream are computed when they
are asked for (`transfer.loop.stream_plan`). So any batch is the same whenever it is asked for, also
after a kill.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import overload

import numpy as np

from transfer.loop.batch_plan import Batch, plan
from transfer.loop.stream_plan import StreamPlan

Part = Callable[[int, int], Sequence[Batch]]  # (number of batches, number of the part) -> them


def in_memory(lengths: Sequence[int], batch_size: int, seed: int) -> Part:
    """A part whose rows are in memory.

    Args:
        lengths: of its rows, in tokens.
        seed: of the mixed plan; each part draws from another one.
    """

    def batches(count: int, part: int) -> Sequence[Batch]:
        return plan(lengths, batch_size, count, seed + 1 + part, part) if count else ()

    return batches


class MixedPlan(Sequence[Batch]):
    """Batches, each of one part.

    In memory are 10 bytes per batch, and the batches of parts that are no streams.

    Args:
        parts: make the batches of each part, given their number and the part's.
        weights: share of each part in the batches.

    Attributes:
        plans: the batches of each part.
    """

    def __init__(
        self, parts: Sequence[Part], weights: Sequence[float], steps: int, seed: int
    ) -> None:
        drawn = random.Random(seed).choices(range(len(weights)), weights=weights, k=steps)
        self._part = np.asarray(drawn, dtype=np.uint16)
        self._place = np.zeros(steps, dtype=np.int64)
        self.plans: list[Sequence[Batch]] = []
        for number, part in enumerate(parts):
            mine = self._part == number
            count = int(mine.sum())
            self._place[mine] = np.arange(count)
            self.plans.append(part(count, number))

    def __len__(self) -> int:
        return len(self._part)

    @overload
    def __getitem__(self, index: int) -> Batch: ...

    @overload
    def __getitem__(self, index: slice) -> list[Batch]: ...

    def __getitem__(self, index: int | slice) -> Batch | list[Batch]:
        """A batch, or some."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        batch: Batch = self.plans[self._part[index]][int(self._place[index])]
        return batch

    def rows(self, count: int) -> int:
        """Rows of the first `count` batches; no stream is read for it."""
        taken = np.bincount(self._part[:count], minlength=len(self.plans)).tolist()
        return sum(
            batches.rows(number)
            if isinstance(batches, StreamPlan)
            else sum(len(batch.indices) for batch in batches[:number])
            for batches, number in zip(self.plans, taken, strict=True)
        )
