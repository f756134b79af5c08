"""Retrieval: a row is a query and the passage that answers it, encoded separately."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.data.ranking import Searched
from evalsuite.retrieval.sentences import encode_sentences
from evalsuite.task import Example, MatchExample, Task
from transfer.encoded_rows.encoded import Encoder, SeveralSequences
from transfer.loop.batch_plan import Batch, padded
from transfer.loop.types import Tensors


class Matches(SeveralSequences):
    """Queries and passages, each cut at the length that the task sets for it."""

    def __init__(self, task: Task, examples: Sequence[Example], encoder: Encoder) -> None:
        assert isinstance(task, Searched)  # every task of this format is one
        matches = [example for example in examples if isinstance(example, MatchExample)]
        queries, passages = (
            encode_sentences(encoder.tokenizer, texts, min(longest, encoder.max_length))
            for texts, longest in (
                ([match.query for match in matches], task.query_tokens),
                ([match.passage for match in matches], task.candidate_tokens),
            )
        )
        self.pad_id = encoder.pad_id
        self.ids = [[q.ids, p.ids] for q, p in zip(queries, passages, strict=True)]

    def collate(self, batch: Batch) -> Tensors:
        """`query_ids`, `query_mask`, `passage_ids` and `passage_mask`, each `[batch, tokens]`."""
        batch_tensors: Tensors = {}
        for side, name in enumerate(("query", "passage")):
            tensors = padded([self.ids[index][side] for index in batch.indices], self.pad_id)
            batch_tensors[f"{name}_ids"] = tensors["input_ids"]
            batch_tensors[f"{name}_mask"] = tensors["attention_mask"]
        return batch_tensors


ROWS = Matches
