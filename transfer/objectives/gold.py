"""The loss of a head on gold labels or scores; what the labels are says which.

>>> gold_loss(torch.tensor([[0.5], [2.0]]), torch.tensor([[0.5], [1.0]]))
tensor(0.5000)
"""

from __future__ import annotations

import torch
from torch import nn

from transfer.encoded_rows.encoded import IGNORE


def gold_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The mean loss, a scalar: cross-entropy of labels, squared error of scores.

    Args:
        logits: `[..., labels]`.
        labels: numbers of labels `[...]`, -100 where a token has none; scores
            `[rows, 1]`; or floats of 1 and 0 for each of several labels, `[rows, labels]`.
    """
    if labels.is_floating_point() and labels.shape[-1] > 1:
        return nn.functional.binary_cross_entropy_with_logits(logits.float(), labels)
    if labels.is_floating_point():
        return nn.functional.mse_loss(logits.float(), labels)
    flat = logits.float().flatten(0, -2)
    return nn.functional.cross_entropy(flat, labels.flatten(), ignore_index=IGNORE)
