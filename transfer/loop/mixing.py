"""Multi-task sampling: which data set each step draws from.

Sources: examples-proportional, capped, temperature-scaled and equal mixing as in T5 (Raffel et al.
2020, section 3.5.2); Phang et al. (2020) sample intermediate tasks in proportion to their size,
capped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from transfer.loop.batch_plan import Batch
from transfer.loop.mixed_plan import MixedPlan, in_memory

Mixing = Literal["proportional", "capped", "temperature", "uniform"]


def shares(
    sizes: Sequence[int],
    cap: int | None = None,
    mixing: Mixing = "proportional",
    temperature: float = 1.0,
) -> list[float]:
    """Sampling probability of each data set.

    >>> shares([100, 300])
    [0.25, 0.75]
    >>> shares([100, 900], cap=100)
    [0.5, 0.5]
    >>> shares([100, 900], mixing="temperature", temperature=2)
    [0.25, 0.75]
    >>> shares([100, 900], mixing="uniform")
    [0.5, 0.5]

    Args:
        cap: no set counts as larger than this (T5's K); `capped` is proportional with one.
        temperature: of `temperature` mixing; 1 is proportional, the larger the more uniform.
    """
    if mixing == "uniform":
        return [1 / len(sizes)] * len(sizes)
    counted = [min(size, cap) if cap else size for size in sizes]
    rates = [count ** (1 / temperature if mixing == "temperature" else 1) for count in counted]
    return [rate / sum(rates) for rate in rates]


def mix(
    lengths: Sequence[Sequence[int]],
    weights: Sequence[float],
    batch_size: int | Sequence[int],
    steps: int,
    seed: int,
) -> list[Batch]:
    """`steps` batches, each of one data set, drawn with probability `weights`.

    Args:
        lengths: of the examples, a data set.
        batch_size: of all data sets, or one each.
    """
    sizes = [batch_size] * len(lengths) if isinstance(batch_size, int) else batch_size
    parts = [in_memory(own, size, seed) for own, size in zip(lengths, sizes, strict=True)]
    return list(MixedPlan(parts, weights, steps, seed))
