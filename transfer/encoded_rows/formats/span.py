"""Answers in a context: a row is a question with one window of its context."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from evalsuite.formats import span
from evalsuite.task import Example, SpanExample, Task
from transfer.encoded_rows.encoded import Encoder, OneSequence
from transfer.loop.batch_plan import Batch
from transfer.loop.types import Tensors


class Spans(OneSequence):
    """`targets` are the first and the last token of the answer; 0 and 0 in a window without it."""

    def __init__(self, task: Task, examples: Sequence[Example], encoder: Encoder) -> None:
        asked = [example for example in examples if isinstance(example, SpanExample)]
        windows = encoder(task, asked)
        self.pad_id = encoder.pad_id
        self.ids = [window.ids for window in windows]
        self.targets = [span.target(asked[w.example], w) or (0, 0) for w in windows]
        self.unreached = span.unreached(asked, windows, first_alone=True)

    def collate(self, batch: Batch) -> Tensors:
        """The inputs, `start_positions` and `end_positions` `[batch]`."""
        ends = torch.tensor([self.targets[index] for index in batch.indices])
        return {
            **self.inputs(batch),
            "start_positions": ends[:, 0],
            "end_positions": ends[:, 1],
        }


ROWS = Spans
