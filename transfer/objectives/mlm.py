"""Masked language modelling, and translation language modelling when the text is a pair.

Devlin et al. (2019): 15% of tokens are predicted, of which 80% are masked, 10% replaced, 10%
kept. TLM (Lample & Conneau 2019) is the same over `<s> x </s></s> y </s>`, so that a masked word
can be read off its translation; positions run on over the pair, as in XLM-R's pair encoding,
where the paper restarts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from evalsuite import tokenization
from transfer.loop.batch_plan import padded
from transfer.models.head_alone import HeadAlone

RATE = 0.15


@dataclass(frozen=True, slots=True)
class Pieces:
    """Of a vocabulary: the mask, and the pieces that are masked and put in the place of others.

    Attributes:
        mask: id of the mask.
        special: ids that are never predicted, the mask's among them.
        ordinary: all other ids, ascending.
    """

    mask: int
    special: torch.Tensor
    ordinary: torch.Tensor

    @classmethod
    def of(cls, tokenizer: Any) -> Pieces:
        """Of a tokenizer.

        Raises:
            ModelError: it has no mask.
        """
        mask_id = tokenization.mask_id(tokenizer)
        return cls.among(tokenizer.get_vocab_size(), mask_id, tokenization.special_ids(tokenizer))

    @classmethod
    def among(cls, size: int, mask: int, special: set[int]) -> Pieces:
        """Of a vocabulary of this size."""
        never = special | {mask}
        ordinary = [piece for piece in range(size) if piece not in never]
        return cls(mask, torch.tensor(sorted(never)), torch.tensor(ordinary))


def mask(
    ids: torch.Tensor, pieces: Pieces, generator: torch.Generator, rate: float = RATE
) -> tuple[torch.Tensor, torch.Tensor]:
    """`[batch, tokens]` ids to (masked ids, labels); labels are -100 where nothing is predicted."""
    draw = torch.rand(ids.shape, generator=generator)
    chosen = (draw < rate) & ~torch.isin(ids, pieces.special)
    labels = torch.where(chosen, ids, torch.full_like(ids, -100))
    how = torch.rand(ids.shape, generator=generator)
    drawn = torch.randint(len(pieces.ordinary), ids.shape, generator=generator)
    masked = torch.where(chosen & (how < 0.8), torch.full_like(ids, pieces.mask), ids)
    masked = torch.where(chosen & (how >= 0.8) & (how < 0.9), pieces.ordinary[drawn], masked)
    return masked, labels


def collate(
    sequences: Sequence[Sequence[int]], pad_id: int, pieces: Pieces, seed: int, rate: float = RATE
) -> dict[str, torch.Tensor]:
    """Pad and mask; everything random comes from `seed`."""
    batch = padded(sequences, pad_id)
    generator = torch.Generator().manual_seed(seed)
    masked, labels = mask(batch["input_ids"], pieces, generator, rate)
    return {**batch, "input_ids": masked, "labels": labels}


def loss(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean cross-entropy at a masked-LM model's masked positions."""
    hidden = model.base_model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
    ).last_hidden_state
    return cross_entropy(hidden, HeadAlone(model), batch["labels"])


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
