"""What the batches of a training are drawn from: a task's rows, a language of them, masked text.

>>> parts = of_tasks(rows, weights, languages=("en", "de"), ...)
>>> batches = draw(parts, batch_size=32, steps=400, seed=1)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from transfer.batches import Batch, cut, plan
from transfer.masked import Masked
from transfer.mixing import mix, shares
from transfer.rows import Rows
from transfer.train import Tensors


@dataclass(frozen=True, slots=True)
class Part:
    """One data set of a mixture.

    Attributes:
        share: of batches.
        head: index of its task; None for masked LM.
    """

    rows: Rows | Masked
    share: float
    head: int | None


def of_tasks(
    rows: Sequence[Sequence[Rows]], weights: Sequence[float], temperature: float | None
) -> list[Part]:
    """A part a task, or a language of it.

    Args:
        rows: of each task, a set a language where these are sampled apart, else one.
        weights: sampling probability of each task.
        temperature: of sampling languages; batches are then of one language each.
    """
    parts = []
    for head, (sets, weight) in enumerate(zip(rows, weights, strict=True)):
        sizes = [len(one) for one in sets]
        own = shares(sizes, mixing="temperature", temperature=temperature or 1.0)
        parts += [Part(one, weight * share, head) for one, share in zip(sets, own, strict=True)]
    return parts


def draw(parts: Sequence[Part], batch_size: int, steps: int, seed: int) -> list[Batch]:
    """`steps` batches of `batch_size` rows, each of one part."""
    if len(parts) == 1:
        return plan(parts[0].rows.lengths(), batch_size, steps, seed)
    lengths = [part.rows.lengths() for part in parts]
    return mix(lengths, [part.share for part in parts], batch_size, steps, seed)


def collated(parts: Sequence[Part], *, heads: bool) -> Callable[[Batch], Tensors]:
    """What makes a batch tensors: `part` is the task's head where there are `heads` to choose
    from, and `masked` is there on batches of masked LM."""

    def collate(batch: Batch) -> Tensors:
        part = parts[batch.part]
        tensors: Tensors = part.rows.collate(batch)
        if part.head is None:
            return {**tensors, "masked": True}
        return {**tensors, "part": part.head} if heads else tensors

    return collate


def cutter(parts: Sequence[Part], rows: int, tokens: int | None) -> Callable[[Batch], list[Batch]]:
    """What makes a batch micro-batches; see `transfer.batches.cut`."""
    lengths = [part.rows.lengths() for part in parts]
    return lambda batch: cut(batch, lengths[batch.part], rows, tokens)
