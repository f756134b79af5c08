"""A query and the passage that answers it: rows of two sequences, read one by one."""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.data.ranking import RankingTask
from evalsuite.retrieval.sentences import encode_sentences
from evalsuite.task import Example, MatchExample, Task
from transfer.encoded_rows.encoded import Encoder, SeveralSequences
from transfer.loop.batch_plan import Batch, padded
from transfer.loop.types import Tensors


class Matches(SeveralSequences):
    """Queries and passages, each cut at the task's own length."""

    def __init__(self, task: Task, examples: Sequence[Example], encoder: Encoder) -> None:
        assert isinstance(task, RankingTask)  # the format says so
        found = [example for example in examples if isinstance(example, MatchExample)]
        queries, passages = (
            encode_sentences(encoder.tokenizer, texts, min(longest, encoder.max_length))
            for texts, longest in (
                ([match.query for match in found], task.query_tokens),
                ([match.passage for match in found], task.candidate_tokens),
            )
        )
        self.pad_id = encoder.pad_id
        self.ids = [[q.ids, p.ids] for q, p in zip(queries, passages, strict=True)]

    def collate(self, batch: Batch) -> Tensors:
        """`query_ids`, `query_mask`, `passage_ids` and `passage_mask`, each `[batch, tokens]`."""
        found: Tensors = {}
        for side, name in enumerate(("query", "passage")):
            tensors = padded([self.ids[index][side] for index in batch.indices], self.pad_id)
            found[f"{name}_ids"] = tensors["input_ids"]
            found[f"{name}_mask"] = tensors["attention_mask"]
        return found
