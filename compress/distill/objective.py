"""What a student matches: the teacher's logits, its hidden states, the task's labels.

Pure functions of tensors. Logits: Kullback-Leibler divergence at temperature T, times T squared
(Hinton et al. 2015). Hidden states: mean squared error of the states that selected layers end
in, over real tokens, each scaled by the teacher's variance so that layers weigh alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


def logits_loss(
    student: torch.Tensor, teacher: torch.Tensor, weight: torch.Tensor, temperature: float
) -> torch.Tensor:
    """`[..., labels]` logits and a `[...]` 0/1 weight (which rows or tokens count)."""
    divergence = nn.functional.kl_div(
        nn.functional.log_softmax(student / temperature, -1),
        nn.functional.log_softmax(teacher / temperature, -1),
        reduction="none",
        log_target=True,
    ).sum(-1)
    return temperature**2 * (divergence * weight).sum() / weight.sum().clamp(min=1)


def hidden_loss(
    student: Sequence[torch.Tensor],
    teacher: Sequence[torch.Tensor],
    chosen: Sequence[int],
    mask: torch.Tensor,
) -> torch.Tensor:
    """States of the embeddings and after every layer, `[batch, tokens, width]` each; the
    student's layer k is matched to the teacher's layer `chosen[k]`."""
    pairs = [(student[0], teacher[0])]
    pairs += [(student[k + 1], teacher[layer + 1]) for k, layer in enumerate(chosen)]
    weight = mask.unsqueeze(-1).to(student[0].dtype)
    count = weight.sum().clamp(min=1) * student[0].shape[-1]
    total = torch.zeros((), dtype=student[0].dtype, device=student[0].device)
    for own, target in pairs:
        mean = (target * weight).sum() / count
        variance = (((target - mean) ** 2) * weight).sum() / count
        total = total + (((own - target) ** 2) * weight).sum() / count / variance.clamp(min=1e-6)
    return total / len(pairs)
