"""The order of training: which examples make which batch, decided before the first step.

A plan is a pure function of lengths and seed, so a killed training resumes with exactly the
batches it would have had, and several processes can share one plan.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from evalsuite.run import pad

_POOL = 32  # batches shuffled together before they are sorted by length


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
    batches shuffled: most of the padding goes, most of the randomness stays.
    """
    if not lengths:
        raise ValueError("no examples to plan batches over")
    rng = random.Random(seed)
    batches: list[Batch] = []
    stream = _epochs(len(lengths), rng)
    while len(batches) < steps:
        wanted = min(_POOL * batch_size, max(len(lengths), batch_size))
        pool = sorted((next(stream) for _ in range(wanted)), key=lambda index: lengths[index])
        cut = [tuple(pool[i : i + batch_size]) for i in range(0, len(pool), batch_size)]
        rng.shuffle(cut)
        batches += [Batch(part, indices, rng.getrandbits(48)) for indices in cut]
    return batches[:steps]


def _epochs(count: int, rng: random.Random) -> Iterator[int]:
    """Indices in shuffled epochs, without end."""
    while True:
        order = list(range(count))
        rng.shuffle(order)
        yield from order


def steps_for(examples: int, batch_size: int, epochs: float, most: int | None = None) -> int:
    """Batches of so many epochs, at least one and at most `most`."""
    steps = max(1, round(examples * epochs / batch_size))
    return steps if most is None else min(steps, most)


def padded(sequences: Sequence[Sequence[int]], pad_id: int) -> dict[str, torch.Tensor]:
    """`input_ids` and `attention_mask`, both int64 `[batch, tokens]`."""
    ids, mask = pad(sequences, pad_id)
    return {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
