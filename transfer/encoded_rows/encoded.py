"""What rows of all formats share: the encoder, and rows of one or of several sequences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from evalsuite.inference.encoded import Encoded
from evalsuite.registry import FORMATS
from evalsuite.task import Example, Task
from transfer.loop.batch_plan import Batch, padded
from transfer.loop.types import Summary, Tensors

IGNORE = -100  # label of a token that the loss ignores


@dataclass(frozen=True, slots=True)
class Encoder:
    """A tokenizer, its padding id, and the length of the longest sequence, in tokens."""

    tokenizer: Any
    pad_id: int
    max_length: int

    def __call__(self, task: Task, examples: Sequence[Example]) -> list[Encoded]:
        """The encoded sequences of a task's examples."""
        module = FORMATS.get(task.format)
        encoded: list[Encoded] = module.encode(self.tokenizer, examples, self.max_length)
        return encoded


class Rows(Protocol):
    """Encoded rows of one task.

    Attributes:
        pad_id: token id that shorter sequences of a batch are padded with.
        unreached: rows that are trained on as rows without an answer, since no token reaches it.
    """

    pad_id: int
    unreached: int

    def __len__(self) -> int: ...

    def lengths(self) -> list[int]:
        """Tokens per row; of its longest sequence where it has several."""
        ...

    def sequences(self) -> list[list[int]]:
        """Token ids of every sequence of every row."""
        ...

    def collate(self, batch: Batch) -> Tensors:
        """The tensors of a batch, as the training loss reads them."""
        ...


def unreached_summary(sets: Iterable[Any]) -> Summary:
    """A line of a stage's summary where answers of its rows are reached by no token."""
    count = sum(getattr(rows, "unreached", 0) for rows in sets)  # plain text has no answers
    return {"answers no token reaches": count} if count else {}


class SeveralSequences:
    """Rows of several sequences each.

    Attributes:
        ids: for each row, the token ids of each of its sequences.
    """

    pad_id: int
    unreached = 0
    ids: list[list[list[int]]]

    def __len__(self) -> int:
        return len(self.ids)

    def lengths(self) -> list[int]:
        """Tokens of each row's longest sequence."""
        return [max(map(len, ids)) for ids in self.ids]

    def sequences(self) -> list[list[int]]:
        """Token ids of every sequence of every row."""
        return [ids for row in self.ids for ids in row]


class OneSequence:
    """Rows of one sequence each.

    Attributes:
        ids: token ids of each row.
    """

    pad_id: int
    unreached = 0
    ids: list[list[int]]

    def __len__(self) -> int:
        return len(self.ids)

    def lengths(self) -> list[int]:
        """Tokens per row."""
        return [len(ids) for ids in self.ids]

    def sequences(self) -> list[list[int]]:
        """Token ids of every row."""
        return self.ids

    def inputs(self, batch: Batch) -> Tensors:
        """`input_ids` and `attention_mask`, both `[batch, tokens]`."""
        return padded([self.ids[index] for index in batch.indices], self.pad_id)
