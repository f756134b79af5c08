"""Sentence-embedding distillation: a sentence and its translation land on one vector.

Reimers & Gurevych (2020): the student's embedding of a sentence in any language is pulled to the
teacher's of its English side; here by cosine, since retrieval compares angles. In-batch
contrast (InfoNCE, van den Oord et al. 2018) pushes it away from the teacher's other sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn

_TEMPERATURE = 0.05  # of `loss`
_SAME = 0.99  # cosine above which two targets are one sentence


def pool(
    hidden: torch.Tensor, mask: torch.Tensor, pooling: Literal["mean", "cls"] = "mean"
) -> torch.Tensor:
    """Mean over real tokens, or the first, unit length: `[batch, tokens, width]` to
    `[batch, width]`, fp32."""
    if pooling == "cls":
        return nn.functional.normalize(hidden[:, 0].float(), dim=-1)
    weight = mask[..., None].float()
    mean = (hidden.float() * weight).sum(1) / weight.sum(1).clamp(min=1)
    return nn.functional.normalize(mean, dim=-1)


def loss(embedding: torch.Tensor, target: torch.Tensor, contrast: float) -> torch.Tensor:
    """One minus the cosine, and `contrast` times the cross-entropy of finding one's own target.

    Both are unit vectors `[batch, width]`. Targets equal to one's own are no negatives: a corpus
    has an English sentence once for every language.
    """
    with torch.autocast(embedding.device.type, enabled=False):
        distance = 1 - (embedding * target).sum(-1).mean()
        if contrast == 0:
            return distance
        same = target @ target.T > _SAME
        return distance + contrast * in_batch(embedding, target, same, _TEMPERATURE)


def contrast(
    vectors: tuple[torch.Tensor, torch.Tensor],
    same: torch.Tensor,
    temperature: float,
    dimensions: Sequence[int] = (),
    *,
    both_ways: bool,
) -> torch.Tensor:
    """Cross-entropy of finding the partner among the batch's, in whole vectors and cut ones.

    The mean over the whole vector and each of `dimensions` (sentence-transformers' MatryoshkaLoss
    over MultipleNegativesRankingLoss takes their sum).

    Args:
        vectors: of both sides, unit length, `[batch, width]` each.
        same: `[batch, batch]`, true where another's partner is no negative.
        both_ways: partners of the second side are sought among the first too.
    """
    losses = []
    for size in (None, *dimensions):
        one, other = (nn.functional.normalize(side[:, :size], dim=-1) for side in vectors)
        losses.append(in_batch(one, other, same, temperature))
        if both_ways:
            losses.append(in_batch(other, one, same.T, temperature))
    return torch.stack(losses).mean()


def equal_rows(ids: torch.Tensor) -> torch.Tensor:
    """`[batch, batch]`, true where two rows of `[batch, tokens]` are the same."""
    return (ids[:, None] == ids[None]).all(-1)


def in_batch(
    embedding: torch.Tensor, target: torch.Tensor, same: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Cross-entropy of finding one's own target among the batch's by cosine.

    Args:
        embedding, target: unit vectors `[batch, width]`.
        same: `[batch, batch]`, true where another's target is one's own too, and no negative.
    """
    own = torch.arange(len(target), device=target.device)
    other = same & ~torch.eye(len(target), dtype=torch.bool, device=target.device)
    similarity = (embedding @ target.T / temperature).masked_fill(other, -torch.inf)
    return nn.functional.cross_entropy(similarity, own)
