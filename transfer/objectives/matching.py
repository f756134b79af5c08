"""A query and its passage land on one vector: a bi-encoder for LAReQA, Mewsli-X, one's own pairs.

Both are read by the same encoder; each query is to find its own passage among the batch's (Roy et
al. 2020; `BertForRetrieval` in google-research/xtreme, which learns the scale, begun at 100; here
it is 20 where nothing else is asked for, as in sentence-transformers'
MultipleNegativesRankingLoss).
"""

from __future__ import annotations

from typing import Any

import torch

from transfer.loop.types import Tensors
from transfer.objectives.sentence_vectors import SentenceVectors
from transfer.objectives.sentences import contrast, equal_rows, pool


def matching_loss(
    model: Any, batch: Tensors, vectors: SentenceVectors, both_ways: bool = False
) -> torch.Tensor:
    """Mean loss of a batch of `transfer.encoded_rows`' `ranking` rows.

    A passage that several queries of the batch share is no negative of any of them; nor is one of
    an equal query.

    Args:
        both_ways: the sides are alike, and each passage is to find its query too.
    """

    def embed(side: str) -> torch.Tensor:
        ids, mask = batch[f"{side}_ids"], batch[f"{side}_mask"]
        hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
        return pool(hidden, mask, vectors.pooling or "mean")

    query, passage = embed("query"), embed("passage")
    same = equal_rows(batch["query_ids"]) | equal_rows(batch["passage_ids"])
    with torch.autocast(query.device.type, enabled=False):
        return contrast(
            (query, passage), same, vectors.temperature, vectors.dimensions, both_ways=both_ways
        )
