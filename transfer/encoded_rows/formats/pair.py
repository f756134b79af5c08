"""Pairs of sentences: a row is one sequence with one label."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from evalsuite.task import Example, PairExample, Task
from transfer.encoded_rows.encoded import Encoder, OneSequence
from transfer.loop.batch_plan import Batch
from transfer.loop.types import Tensors


class Labels(OneSequence):
    """Rows without a label are left out; `targets` are label ids."""

    def __init__(self, task: Task, examples: Sequence[Example], encoder: Encoder) -> None:
        shown = [e for e in examples if isinstance(e, PairExample) and e.label is not None]
        index: dict[str | None, int] = {label: n for n, label in enumerate(task.labels)}
        self.pad_id = encoder.pad_id
        self.ids = [item.ids for item in encoder(task, shown)]
        self.targets = [index[example.label] for example in shown]

    def collate(self, batch: Batch) -> Tensors:
        """The inputs, and `labels` `[batch]`."""
        labels = torch.tensor([self.targets[index] for index in batch.indices])
        return {**self.inputs(batch), "labels": labels}


ROWS = Labels
