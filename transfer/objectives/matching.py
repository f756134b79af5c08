"""A query and its passage land on one vector: a bi-encoder for LAReQA and Mewsli-X.

Both are read by the same encoder; each query is to find its own passage among the batch's (Roy et
al. 2020; `BertForRetrieval` in google-research/xtreme, which learns the scale, begun at 100; here
it stays at 20, the default of sentence-transformers' loss of in-batch negatives).
"""

from __future__ import annotations

from typing import Any, Literal

import torch

from transfer.loop.types import Tensors
from transfer.objectives.sentences import in_batch, pool

_TEMPERATURE = 1 / 20


def matching_loss(model: Any, batch: Tensors, pooling: Literal["mean", "cls"]) -> torch.Tensor:
    """Mean loss of a batch of `transfer.encoded_rows`' `ranking` rows.

    A passage that several queries of the batch share is no negative of any of them.
    """

    def embed(side: str) -> torch.Tensor:
        ids, mask = batch[f"{side}_ids"], batch[f"{side}_mask"]
        hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
        return pool(hidden, mask, pooling)

    query, passage = embed("query"), embed("passage")
    texts = batch["passage_ids"]
    same = (texts[:, None] == texts[None]).all(-1)
    with torch.autocast(query.device.type, enabled=False):
        return in_batch(query, passage, same, _TEMPERATURE)
