"""Batches of several parts of which one is a stream, in an order that is drawn before training.

>>> plan = MixedPlan([4, 2], [0.5, 0.5], batch_size=2, steps=100, seed=1, stream=stream)
>>> plan[7].part
1

Which part each batch is of follows from the seed, as in `transfer.loop.mixing.mix`; the batches of
the stream are computed when they are asked for (`transfer.loop.stream_plan`). So any batch is the
same whenever it is asked for, also after a kill.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import overload

import numpy as np

from transfer.loop.batch_plan import Batch, plan
from transfer.loop.stream_plan import StreamPlan


class MixedPlan(Sequence[Batch]):
    """Batches of parts that are in memory, and of a stream, which is the last part.

    In memory are 9 bytes per batch, and the batches of the other parts.

    Args:
        lengths: of the rows of each part but the stream.
        weights: share of each part in the batches, the stream's last.
        stream: makes the plan of the stream, given its number of batches and of the part.

    Attributes:
        stream: the plan of the stream.
    """

    def __init__(
        self,
        lengths: Sequence[Sequence[int]],
        weights: Sequence[float],
        batch_size: int,
        steps: int,
        seed: int,
        stream: Callable[[int, int], StreamPlan],
    ) -> None:
        drawn = random.Random(seed).choices(range(len(weights)), weights=weights, k=steps)
        self._part = np.asarray(drawn, dtype=np.uint8)
        counts = np.zeros(len(weights), dtype=np.int64)
        self._place = np.zeros(steps, dtype=np.int64)
        for part in range(len(weights)):
            mine = self._part == part
            counts[part] = mine.sum()
            self._place[mine] = np.arange(counts[part])
        self.stream = stream(max(1, int(counts[-1])), len(lengths))
        self._plans: list[Sequence[Batch]] = [
            plan(own, batch_size, int(counts[part]), seed + 1 + part, part) if counts[part] else ()
            for part, own in enumerate(lengths)
        ]
        self._plans.append(self.stream)

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
        batch: Batch = self._plans[self._part[index]][int(self._place[index])]
        return batch
