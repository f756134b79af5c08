"""Multiple choice: a row is one sequence per choice."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from evalsuite.errors import DataError
from evalsuite.task import ChoiceExample, Example, Task
from transfer.encoded_rows.encoded import Encoder, SeveralSequences
from transfer.loop.batch_plan import Batch, padded
from transfer.loop.types import Tensors


class Choices(SeveralSequences):
    """Rows without a label are left out; `targets` are the indices of the right choices."""

    def __init__(self, task: Task, examples: Sequence[Example], encoder: Encoder) -> None:
        shown = [e for e in examples if isinstance(e, ChoiceExample) and e.label is not None]
        counts = {len(example.choices) for example in shown}
        if len(counts) > 1:
            raise DataError(
                f"{task.name}: some rows have {min(counts)} choices and others {max(counts)}; all "
                "training rows need the same number"
            )
        sequences = iter(encoder(task, shown))
        self.pad_id = encoder.pad_id
        self.ids = [[next(sequences).ids for _ in example.choices] for example in shown]
        self.targets = [example.label for example in shown]

    def collate(self, batch: Batch) -> Tensors:
        """`input_ids`, `attention_mask` `[batch, choices, tokens]`, `labels` `[batch]`."""
        flat = [ids for index in batch.indices for ids in self.ids[index]]
        rows = len(batch.indices)
        tensors = {
            name: tensor.view(rows, -1, tensor.shape[1])
            for name, tensor in padded(flat, self.pad_id).items()
        }
        labels = torch.tensor([self.targets[index] for index in batch.indices])
        return {**tensors, "labels": labels}


ROWS = Choices
