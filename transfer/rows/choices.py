"""One of several choices: rows of as many sequences."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from evalsuite.errors import DataError
from evalsuite.task import ChoiceExample, Example, Task
from transfer.batches import Batch, padded
from transfer.rows.encoded import Encoder
from transfer.train import Tensors


class Choices:
    """Rows whose label is hidden are left out.

    Attributes:
        ids: token ids of each choice, a row.
        targets: index of the right choice.
    """

    def __init__(self, task: Task, examples: Sequence[Example], encoder: Encoder) -> None:
        shown = [e for e in examples if isinstance(e, ChoiceExample) and e.label is not None]
        counts = {len(example.choices) for example in shown}
        if len(counts) > 1:
            raise DataError(
                f"{task.name}: rows of {min(counts)} and of {max(counts)} choices; all rows to "
                "train on need as many"
            )
        sequences = iter(encoder(task, shown))
        self.pad_id = encoder.pad_id
        self.ids = [[next(sequences).ids for _ in example.choices] for example in shown]
        self.targets = [example.label for example in shown]

    def __len__(self) -> int:
        return len(self.ids)

    def lengths(self) -> list[int]:
        """Tokens of each row's longest choice."""
        return [max(map(len, ids)) for ids in self.ids]

    def sequences(self) -> list[list[int]]:
        """All choices of all rows."""
        return [ids for row in self.ids for ids in row]

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
