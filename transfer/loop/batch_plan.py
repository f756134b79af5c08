"""The order of training: which examples make which batch, decided before the first step.

A plan is a pure function of lengths and seed, so a killed training resumes with exactly the
batches it would have had, and several processes can share one plan.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from evalsuite.inference.batch_runner import pad
from evalsuite.inference.batching import by_tokens

POOL = 32  # batches shuffled together before they are sorted by length


@dataclass(frozen=True, slots=True)
class Batch:
    """Indices of one batch's examples, and the seed of whatever is random about it."""

    part: int  # which of the mixed data sets
    indices: tuple[int, ...]
    seed: int


def plan(
    lengths: Sequence[int], batch_size: int, steps: int, seed: int, part: int = 0
) -> list[Batch]:
    """`steps` batches over epochs of shuffled examples, similar lengths together.

    >>> [b.indices for b in plan([3, 9, 3, 8], batch_size=2, steps=2, seed=1)]
    [(0, 2), (3, 1)]

    Within a pool of 32 shuffled batches examples are sorted by length, cut into batches, and the
    batches shuffled: most of the padding goes, most of the randomness stays. Of fewer examples an
    epoch is a pool. Those that do not fill a batch are drawn at random, and begin a batch that
    examples of the next epoch complete, so that all batches are whole and none has one twice.
    """
    if not lengths:
        raise ValueError("no examples to plan batches over")
    rng = random.Random(seed)
    batches: list[Batch] = []
    pools = _pools(len(lengths), batch_size, rng)
    while len(batches) < steps:
        mixed, pool = next(pools)
        pool = sorted(pool, key=lambda index: lengths[index])
        cut = [tuple(pool[i : i + batch_size]) for i in range(0, len(pool), batch_size)] + mixed
        rng.shuffle(cut)
        batches += [Batch(part, indices, rng.getrandbits(48)) for indices in cut]
    return batches[:steps]


def _pools(
    count: int, batch_size: int, rng: random.Random
) -> Iterator[tuple[list[tuple[int, ...]], list[int]]]:
    """Batches of two epochs, and the other examples of a pool, which fill whole batches."""
    stream = _epochs(count, rng)
    if not batch_size <= count <= POOL * batch_size:
        size = batch_size if count < batch_size else POOL * batch_size
        while True:
            yield [], [next(stream) for _ in range(size)]
    left: list[int] = []
    while True:
        epoch = [next(stream) for _ in range(count)]
        mixed = []
        if left:
            new = [index for index in epoch if index not in left][: batch_size - len(left)]
            mixed.append((*left, *new))
            epoch = [index for index in epoch if index not in new]
        whole = len(epoch) - len(epoch) % batch_size
        left = epoch[whole:]
        if mixed or whole:
            yield mixed, epoch[:whole]


def _epochs(count: int, rng: random.Random) -> Iterator[int]:
    """Indices in shuffled epochs, without end."""
    while True:
        order = list(range(count))
        rng.shuffle(order)
        yield from order


def cut(batch: Batch, lengths: Sequence[int], rows: int, tokens: int | None = None) -> list[Batch]:
    """A batch as micro-batches of at most `rows` rows and, where it is given, at most `tokens`
    padded tokens; longest rows first, and a longer row alone.

    >>> whole = Batch(0, (0, 1, 2, 3), seed=7)
    >>> [b.indices for b in cut(whole, [3, 9, 4, 8], rows=4, tokens=18)]
    [(1, 3), (2, 0)]
    """
    own = [lengths[index] for index in batch.indices]
    width = max(own)
    found = by_tokens(own, *((tokens, len(own)) if tokens else (rows * width, rows)))
    seeds = random.Random(batch.seed)
    return [
        Batch(batch.part, tuple(batch.indices[i] for i in chosen), seeds.getrandbits(48))
        for chosen in found
    ]


def items(tensors: Mapping[str, Any]) -> int:
    """What the loss of a batch is the mean of: its labels (of tokens, where these have labels),
    or its rows. Scores are floats, and every value counts: -100 is one too."""
    labels = tensors.get("labels")
    if labels is None:
        return len(next(iter(tensors.values())))
    return int(labels.numel() if labels.is_floating_point() else (labels != -100).sum())


def padded(sequences: Sequence[Sequence[int]], pad_id: int) -> dict[str, torch.Tensor]:
    """`input_ids` and `attention_mask`, both int64 `[batch, tokens]`."""
    ids, mask = pad(sequences, pad_id)
    return {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
