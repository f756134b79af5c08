"""Sentences, or pairs of them, with any of several labels: a row is one sequence."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from evalsuite.task import Example, LabelsExample, Task
from transfer.encoded_rows.encoded import Encoder, OneSequence
from transfer.loop.batch_plan import Batch
from transfer.loop.types import Tensors


class LabelSets(OneSequence):
    """Rows whose labels are hidden are left out; `targets` are 1 for a label of a row, else 0."""

    def __init__(self, task: Task, examples: Sequence[Example], encoder: Encoder) -> None:
        shown = [e for e in examples if isinstance(e, LabelsExample) and e.labels is not None]
        self.pad_id = encoder.pad_id
        self.ids = [item.ids for item in encoder(task, shown)]
        self.targets = [
            [float((example.labels or {})[label]) for label in task.labels] for example in shown
        ]

    def collate(self, batch: Batch) -> Tensors:
        """The inputs, and `labels` `[batch, labels]`, floats of 0 or 1."""
        labels = torch.tensor([self.targets[index] for index in batch.indices])
        return {**self.inputs(batch), "labels": labels}


ROWS = LabelSets
