"""One mean per text of a row, and what a head reads of two of them.

>>> first, second = text_masks(ids, mask, separator=2)    # <s> a </s> </s> b </s>
>>> first.shape
torch.Size([8, 31])
"""

from __future__ import annotations

import torch


def text_masks(
    ids: torch.Tensor, mask: torch.Tensor, separator: int | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Which tokens are of the first text and which of the second, 1 or 0, `[batch, tokens]` each.

    The first text ends with the first separator; without a second text the second mask is 0.

    Args:
        ids, mask: `[batch, tokens]`.
        separator: id of the token that ends a text; None: all is one text.
    """
    if separator is None:
        return mask, torch.zeros_like(mask)
    ends = (ids == separator).to(mask.dtype)
    second = (ends.cumsum(-1) - ends).clamp(max=1) * mask
    return mask - second, second


def mean(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """`[batch, tokens, width]` to `[batch, width]`; 0 where the mask is 0 everywhere."""
    weight = mask[..., None].to(states.dtype)
    return (states * weight).sum(1) / weight.sum(1).clamp(min=1)


def features(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Two means `[batch, width]` with their distance and product, `[batch, 4 width]`.

    As in InferSent (Conneau et al. 2017, arXiv:1705.02364).
    """
    return torch.cat([one, other, (one - other).abs(), one * other], -1)
