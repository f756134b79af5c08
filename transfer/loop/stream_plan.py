"""The order of a training on more text than memory holds; computed as it is asked for.

>>> plan = StreamPlan([ShuffledRows(corpus, buffer=16384, seed=(1, 0))], [1.0], batch_size=32,
...                   steps=100_000, seed=1)
>>> plan[99_999].indices == plan[99_999].indices   # any batch, in any order, at any time
True

Which rows a batch has follows from its number and the seed alone. So there is no state to save: a
training that was killed goes on with the very batches it would have had, and several processes
share one plan. Per language, blocks of 1,024 neighbouring rows are shuffled over the whole corpus,
and then rows within a buffer of several blocks, which is what is in memory. Each row comes once per
epoch. Languages are drawn with given weights; batches are made as `batch_plan.plan` makes them, of
rows of similar length out of 32 batches' rows.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, overload

import numpy as np

from transfer.loop.batch_plan import POOL, Batch


class Blocks(Protocol):
    """Rows in blocks, such as `transfer.text.token_shards.TokenCorpus`."""

    block_rows: np.ndarray

    def read(self, blocks: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Ids of the rows of some blocks, and where each row starts."""
        ...


@dataclass(frozen=True, slots=True)
class _Epoch:
    """The order of blocks in an epoch, and the position at which each begins."""

    number: int
    order: np.ndarray
    starts: np.ndarray


@dataclass(frozen=True, slots=True)
class _Buffer:
    """Rows that are shuffled together."""

    key: tuple[int, int]  # epoch, number of the buffer
    ids: np.ndarray
    starts: np.ndarray
    order: np.ndarray


class ShuffledRows:
    """The rows of one language in shuffled epochs without end.

    Args:
        blocks: the rows.
        buffer: rows that are shuffled together, rounded to whole blocks; in memory at a time.
    """

    def __init__(self, blocks: Blocks, buffer: int, seed: Sequence[int]) -> None:
        self.blocks, self.seed = blocks, tuple(seed)
        self.count = int(blocks.block_rows.sum())
        self.width = max(1, round(buffer / int(blocks.block_rows.max())))  # blocks per buffer
        self._epoch: _Epoch | None = None
        self._buffer: _Buffer | None = None

    def rows(self, start: int, count: int) -> list[list[int]]:
        """`count` rows from a position on, each as its ids."""
        return [self._row(position) for position in range(start, start + count)]

    def _row(self, position: int) -> list[int]:
        epoch, offset = divmod(position, self.count)
        order = self._order(epoch)
        number = (int(np.searchsorted(order.starts, offset, side="right")) - 1) // self.width
        buffer = self._load(order, number)
        row = buffer.order[offset - order.starts[number * self.width]]
        ids: list[int] = buffer.ids[buffer.starts[row] : buffer.starts[row + 1]].tolist()
        return ids

    def _order(self, epoch: int) -> _Epoch:
        if self._epoch is None or self._epoch.number != epoch:
            generator = np.random.default_rng([*self.seed, epoch])
            order = generator.permutation(len(self.blocks.block_rows))
            starts = np.concatenate([[0], np.cumsum(self.blocks.block_rows[order])[:-1]])
            self._epoch = _Epoch(epoch, order, starts)
        return self._epoch

    def _load(self, epoch: _Epoch, number: int) -> _Buffer:
        key = (epoch.number, number)
        if self._buffer is None or self._buffer.key != key:
            self._buffer = None  # its memory is free before the next one is read
            chosen = epoch.order[number * self.width : (number + 1) * self.width]
            ids, starts = self.blocks.read([int(block) for block in chosen])
            generator = np.random.default_rng([*self.seed, *key, 1])
            self._buffer = _Buffer(key, ids, starts, generator.permutation(len(starts) - 1))
        return self._buffer


@dataclass(frozen=True, slots=True)
class _Pool:
    number: int
    rows: list[list[int]]
    batches: list[Batch]


class StreamPlan(Sequence[Batch]):
    """Batches of rows of several languages.

    In memory are one buffer per language, the rows of one pool of 32 batches, and 8 bytes per
    language and pool of the whole training.

    Args:
        languages: the rows of each.
        weights: share of each in the rows.
        part: number of the data set that batches name.
    """

    def __init__(
        self,
        languages: Sequence[ShuffledRows],
        weights: Sequence[float],
        batch_size: int,
        steps: int,
        seed: int,
        part: int = 0,
    ) -> None:
        self.languages, self.steps, self.seed, self.part = languages, steps, seed, part
        self.batch_size = batch_size
        pools = -(-steps // POOL)
        shares = np.asarray(weights, dtype=np.float64)
        generator = np.random.default_rng([seed, 2])
        drawn = generator.multinomial(POOL * batch_size, shares / shares.sum(), size=pools)
        self._until = np.cumsum(drawn, axis=0, dtype=np.int64)  # rows up to and with each pool
        self._last: _Pool | None = None

    def __len__(self) -> int:
        return self.steps

    @overload
    def __getitem__(self, index: int) -> Batch: ...

    @overload
    def __getitem__(self, index: slice) -> list[Batch]: ...

    def __getitem__(self, index: int | slice) -> Batch | list[Batch]:
        """A batch, or some."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(self.steps))]
        if not 0 <= index < self.steps:
            raise IndexError(index)
        return self._pool(index // POOL).batches[index % POOL]

    def rows(self, count: int) -> int:
        """Rows of the first `count` batches."""
        return count * self.batch_size

    def ids(self, index: int) -> list[int]:
        """The token ids of one of the indices of a batch."""
        pool, row = divmod(index, POOL * self.batch_size)
        return self._pool(pool).rows[row]

    def _pool(self, number: int) -> _Pool:
        if self._last is None or self._last.number != number:
            first = self._until[number - 1] if number else np.zeros_like(self._until[0])
            rows = [
                row
                for language, start, end in zip(
                    self.languages, first, self._until[number], strict=True
                )
                for row in language.rows(int(start), int(end - start))
            ]
            self._last = _Pool(number, rows, self._batches(number, [len(row) for row in rows]))
        return self._last

    def _batches(self, number: int, lengths: list[int]) -> list[Batch]:
        rng = random.Random(f"{self.seed} {number}")
        order = list(range(len(lengths)))
        rng.shuffle(order)
        order.sort(key=lambda row: lengths[row])
        size, first = self.batch_size, number * len(order)
        cut = [order[i : i + size] for i in range(0, len(order), size)]
        rng.shuffle(cut)
        return [
            Batch(self.part, tuple(first + row for row in rows), rng.getrandbits(48))
            for rows in cut
        ]
