"""The directions in which the vectors of frequent pieces differ most.

>>> found = directions(vectors, counts, 158)
>>> found.basis.shape, round(found.lost, 3)
((384, 158), 0.087)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# A piece counts for its frequency to this power: less than in proportion, because the few most
# frequent pieces would decide alone.
_POWER = 0.7
_ROWS = 20_000  # pieces at once


@dataclass(frozen=True, slots=True)
class Directions:
    """Principal components.

    Attributes:
        mean: `[hidden]`, weighted.
        basis: `[hidden, count]`, orthonormal, the direction of the largest variance first.
        lost: share of the weighted variance in other directions.
    """

    mean: Tensor
    basis: Tensor
    lost: float


def directions(vectors: Tensor, counts: Tensor, count: int) -> Directions:
    """The weighted principal components of vectors `[pieces, hidden]`, in float64.

    Args:
        counts: `[pieces]`, above 0; how often each occurs.
    """
    weights = counts.double() ** _POWER
    weights /= weights.sum()
    mean = weights.new_zeros(vectors.shape[1])
    parts = list(zip(*(torch.split(one, _ROWS) for one in (vectors, weights)), strict=True))
    for rows, own in parts:
        mean += own @ rows.double()
    gram = torch.zeros(len(mean), len(mean), dtype=torch.float64)
    for rows, own in parts:
        centred = rows.double() - mean
        gram += (centred * own[:, None]).T @ centred
    variances, vectors_of = torch.linalg.eigh(gram)  # rising
    kept = variances[-count:].sum() / variances.sum()
    return Directions(mean, vectors_of[:, -count:].flip(1), max(0.0, 1.0 - float(kept)))
