"""Ways to combine adapters; read before anything heavy is imported.

A LoRA adapter adds `scale * B A` to a weight. What peft calls `linear`, `ties`, `dare_*` and
`magnitude_prune` combines the factors A and B, each by the root of the weight, so that cross terms
(one adapter's B times another's A) come in; those that end in `svd` combine the updates `B A` and
cut the result back to a rank. `cat` is the weighted sum of the updates itself (task arithmetic,
Ilharco et al. 2023): nothing is cut, the rank is the sum of all.

TIES: Yadav et al. 2023, arXiv:2306.01708. DARE: Yu et al. 2024, arXiv:2311.03099.
"""

from __future__ import annotations

from typing import Literal

Combination = Literal[
    "cat",
    "linear",
    "svd",
    "ties",
    "ties_svd",
    "dare_linear",
    "dare_linear_svd",
    "dare_ties",
    "dare_ties_svd",
    "magnitude_prune",
    "magnitude_prune_svd",
]


def sparse(combine: Combination) -> bool:
    """Whether it drops values, and so takes a density."""
    return combine.startswith(("ties", "dare", "magnitude"))


def cut(combine: Combination) -> bool:
    """Whether the sum of updates is cut to a rank, by singular values."""
    return combine.endswith("svd")


def by_factor(combine: Combination) -> bool:
    """Whether factors are combined, which takes adapters of one rank."""
    return combine != "cat" and not cut(combine)
