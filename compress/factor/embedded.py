"""What a model's embeddings give for each piece, position and type.

>>> found = embedded(model, counts, first=2)
>>> found.pieces.shape, found.positions.shape, found.types.shape
((250002, 384), (512, 384), (1, 384))

The layers read a layer norm of a piece's row plus the rows of its position and type. A norm is not
a sum, so what a position adds depends on the piece. Its mean over frequent pieces is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

_PLACES = (1, 3, 6, 10, 16, 24, 40)  # positions over which a piece's vector is averaged
_FREQUENT = 4000  # pieces over which the shift of a position is averaged
_ROWS = 20_000  # pieces at once


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors that the first layer reads.

    Attributes:
        pieces: `[pieces, hidden]`, mean over some positions, of the first type.
        positions: `[positions, hidden]`, how far each position shifts them.
        types: `[types, hidden]`, how far each type does; zero for the first.
    """

    pieces: Tensor
    positions: Tensor
    types: Tensor


@torch.no_grad()
def embedded(model: Any, counts: Tensor, first: int) -> Embedded:
    """Of a BERT, a RoBERTa or an ELECTRA of full width, in eval mode and fp32.

    Args:
        counts: `[pieces]`, how often each occurs.
        first: row of the first token's position.
    """
    embeddings, words = model.base_model.embeddings, model.get_input_embeddings().weight
    positions = embeddings.position_embeddings.weight[first:]
    types = embeddings.token_type_embeddings.weight
    places = positions[[place for place in _PLACES if place < len(positions)] or [0]]

    def mean(rows: Tensor, kind: Tensor) -> Tensor:
        total = sum(embeddings.LayerNorm(rows + place + kind) for place in places)
        return torch.as_tensor(total) / len(places)

    pieces = torch.cat([mean(rows, types[0]) for rows in words.split(_ROWS)])
    top = counts.topk(min(_FREQUENT, len(counts))).indices
    usual = pieces[top]
    shifts = [embeddings.LayerNorm(words[top] + place + types[0]) - usual for place in positions]
    kinds = [mean(words[top], kind) - usual for kind in types]
    return Embedded(
        pieces,
        torch.stack([shift.mean(0) for shift in shifts]),
        torch.stack([kind.mean(0) for kind in kinds]),
    )
