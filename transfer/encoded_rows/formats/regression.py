"""Sentences, or pairs of them, with a score: a row is one sequence with one number."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from evalsuite.task import Example, ScoreExample, Task
from transfer.encoded_rows.encoded import Encoder, OneSequence
from transfer.loop.batch_plan import Batch
from transfer.loop.types import Tensors


class Scores(OneSequence):
    """Rows without a score are left out; `targets` are the scores."""

    def __init__(self, task: Task, examples: Sequence[Example], encoder: Encoder) -> None:
        shown = [e for e in examples if isinstance(e, ScoreExample) and e.score is not None]
        self.pad_id = encoder.pad_id
        self.ids = [item.ids for item in encoder(task, shown)]
        self.targets = [example.score for example in shown]

    def collate(self, batch: Batch) -> Tensors:
        """The inputs, and `labels` `[batch, 1]`, which are numbers with a fraction."""
        labels = torch.tensor([[self.targets[index]] for index in batch.indices])
        return {**self.inputs(batch), "labels": labels.float()}


ROWS = Scores
