"""Masked language modelling, and translation language modelling when the text is a pair.

Devlin et al. (2019): 15% of tokens are predicted, of which 80% are masked, 10% replaced, 10%
kept. TLM (Lample & Conneau 2019) is the same over `<s> x </s></s> y </s>`, so that a masked word
can be read off its translation; positions run on over the pair, as in XLM-R's pair encoding,
where the paper restarts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from transfer.loop.batch_plan import padded

RATE = 0.15
_SPECIALS = 4  # ids 0 to 3 are never masked


def mask(
    ids: torch.Tensor, mask_id: int, generator: torch.Generator, rate: float = RATE
) -> tuple[torch.Tensor, torch.Tensor]:
    """`[batch, tokens]` ids to (masked ids, labels); labels are -100 where nothing is predicted."""
    draw = torch.rand(ids.shape, generator=generator)
    chosen = (draw < rate) & (ids >= _SPECIALS) & (ids != mask_id)
    labels = torch.where(chosen, ids, torch.full_like(ids, -100))
    how = torch.rand(ids.shape, generator=generator)
    random_ids = torch.randint(_SPECIALS, mask_id, ids.shape, generator=generator)
    masked = torch.where(chosen & (how < 0.8), torch.full_like(ids, mask_id), ids)
    masked = torch.where(chosen & (how >= 0.8) & (how < 0.9), random_ids, masked)
    return masked, labels


def collate(
    sequences: Sequence[Sequence[int]], pad_id: int, mask_id: int, seed: int, rate: float = RATE
) -> dict[str, torch.Tensor]:
    """Pad and mask; everything random comes from `seed`."""
    batch = padded(sequences, pad_id)
    generator = torch.Generator().manual_seed(seed)
    masked, labels = mask(batch["input_ids"], mask_id, generator, rate)
    return {**batch, "input_ids": masked, "labels": labels}


def loss(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean cross-entropy at a masked-LM model's masked positions."""
    hidden = model.base_model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
    ).last_hidden_state
    return cross_entropy(hidden, model.lm_head, batch["labels"])


def cross_entropy(hidden: torch.Tensor, head: nn.Module, labels: torch.Tensor) -> torch.Tensor:
    """Mean over the positions where something is predicted; the output layer runs there alone,
    since over a large vocabulary it would cost more than the encoder.

    Args:
        hidden: last layer, `[batch, tokens, width]`.
        labels: `[batch, tokens]`, -100 where nothing is predicted.
    """
    chosen = labels != -100
    logits = head(hidden[chosen])
    # A short batch may have nothing masked; the sum keeps the loss 0 and its graph alive.
    return nn.functional.cross_entropy(
        logits.float(), labels[chosen], reduction="sum"
    ) / chosen.sum().clamp(min=1)
