"""What all kinds of rows share: a tokenizer, and rows of one sequence each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.inference.encoded import Encoded
from evalsuite.registry import FORMATS
from evalsuite.task import Example, Task
from transfer.loop.batch_plan import Batch, padded
from transfer.loop.types import Tensors

IGNORE = -100  # cross-entropy's ignore_index


@dataclass(frozen=True, slots=True)
class Encoder:
    """A tokenizer, what it pads with, and the longest sequence, specials included."""

    tokenizer: Any
    pad_id: int
    max_length: int

    def __call__(self, task: Task, examples: Sequence[Example]) -> list[Encoded]:
        """The sequences of a task's rows."""
        module = FORMATS.get(task.format)
        encoded: list[Encoded] = module.encode(self.tokenizer, examples, self.max_length)
        return encoded


class SeveralSequences:
    """Rows of several sequences each.

    Attributes:
        ids: token ids of each sequence, a row.
    """

    pad_id: int
    ids: list[list[list[int]]]

    def __len__(self) -> int:
        return len(self.ids)

    def lengths(self) -> list[int]:
        """Tokens of each row's longest sequence."""
        return [max(map(len, ids)) for ids in self.ids]

    def sequences(self) -> list[list[int]]:
        """All of all rows."""
        return [ids for row in self.ids for ids in row]


class OneSequence:
    """Rows of one sequence each.

    Attributes:
        ids: token ids a row.
    """

    pad_id: int
    ids: list[list[int]]

    def __len__(self) -> int:
        return len(self.ids)

    def lengths(self) -> list[int]:
        """Tokens a row."""
        return [len(ids) for ids in self.ids]

    def sequences(self) -> list[list[int]]:
        """The rows themselves."""
        return self.ids

    def inputs(self, batch: Batch) -> Tensors:
        """`input_ids` and `attention_mask`, `[batch, tokens]`."""
        return padded([self.ids[index] for index in batch.indices], self.pad_id)
