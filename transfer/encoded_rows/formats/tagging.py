"""Tagged sentences: a row is one sequence with a tag per word."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from evalsuite.task import Example, TagExample, Task
from transfer.encoded_rows.encoded import IGNORE, Encoder, OneSequence
from transfer.loop.batch_plan import Batch
from transfer.loop.types import Tensors


class Tags(OneSequence):
    """`targets` are tag ids per token: the tag on a word's first token, -100 on the others.

    Parts of a sentence in which no word starts are left out: the loss of them alone has no value.

    `words` says which example each row is of, and which word of it each token starts, else -1.
    """

    def __init__(self, task: Task, examples: Sequence[Example], encoder: Encoder) -> None:
        tagged = [example for example in examples if isinstance(example, TagExample)]
        index = {label: number for number, label in enumerate(task.labels)}
        self.pad_id = encoder.pad_id
        self.ids: list[list[int]] = []
        self.targets: list[list[int]] = []
        self.words: list[tuple[int, list[int]]] = []
        for item in encoder(task, tagged):
            if all(word < 0 for word in item.words):
                continue  # a further part of one long word: no token has a tag
            tags = tagged[item.example].tags
            self.ids.append(item.ids)
            self.words.append((item.example, list(item.words)))
            self.targets.append([IGNORE if word < 0 else index[tags[word]] for word in item.words])

    def collate(self, batch: Batch) -> Tensors:
        """The inputs, and `labels` `[batch, tokens]`."""
        tensors = self.inputs(batch)
        labels = torch.full(tensors["input_ids"].shape, IGNORE)
        for row, index in enumerate(batch.indices):
            labels[row, : len(self.targets[index])] = torch.tensor(self.targets[index])
        return {**tensors, "labels": labels}


ROWS = Tags
