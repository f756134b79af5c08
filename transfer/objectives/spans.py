"""An answer's two ends: each is one token of the sequence, so scores compare over the tokens.

Devlin et al. (2019), section 4.2.
"""

from __future__ import annotations

import torch
from torch import nn

_NEVER = -1e4  # of a padding token; finite, so that it may be weighed with a share of 0


def over_tokens(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """`[batch, tokens, 2]` logits of start and end as `[batch, 2, tokens]`, no padding."""
    return logits.float().masked_fill(mask[..., None] == 0, _NEVER).transpose(1, 2)


def ends_loss(logits: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean cross-entropy of an answer's two ends over the tokens, from `[batch, tokens, 2]`."""
    scores = over_tokens(logits, batch["attention_mask"])
    ends = torch.stack((batch["start_positions"], batch["end_positions"]), 1)
    return nn.functional.cross_entropy(scores.flatten(0, 1), ends.flatten())
