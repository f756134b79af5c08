"""Training rows of a task, encoded: what a model reads, and what it is to say.

>>> rows = load_rows(get("udpos"), DataSource("embedded"), Path("base"), max_length=128)
>>> rows.collate(Batch(0, (0, 1), seed=1))["labels"].shape
torch.Size([2, 14])

One file a kind of rows; a task's format says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from evalsuite import tokenization
from evalsuite.errors import DataError
from evalsuite.languages import SOURCE_LANGUAGE
from evalsuite.task import DataSource, Example, Format, Task
from transfer.encoded_rows.choices import Choices
from transfer.encoded_rows.encoded import Encoder
from transfer.encoded_rows.labels import Labels
from transfer.encoded_rows.matches import Matches
from transfer.encoded_rows.spans import Spans
from transfer.encoded_rows.tags import Tags
from transfer.loop.batch_plan import Batch
from transfer.loop.types import Tensors
from transfer.text.augment import Change

_KINDS: dict[Format, type[Labels | Tags | Spans | Choices | Matches]] = {
    "pair": Labels,
    "tagging": Tags,
    "span": Spans,
    "choice": Choices,
    "ranking": Matches,
}


class Rows(Protocol):
    """Encoded rows of one task.

    Attributes:
        pad_id: what their sequences are padded with.
    """

    pad_id: int

    def __len__(self) -> int: ...

    def lengths(self) -> list[int]:
        """Tokens a row, of its longest sequence where it has several."""
        ...

    def sequences(self) -> list[list[int]]:
        """Token ids of every sequence."""
        ...

    def collate(self, batch: Batch) -> Tensors:
        """What the rows of a batch are to a model's training loss."""
        ...


def load_rows(
    task: Task,
    source: DataSource,
    directory: Path,
    max_length: int,
    *,
    languages: Sequence[str] = ("en",),
    max_examples: int | None = None,
    change: Change = list,
    held_out: int = 0,
) -> Rows:
    """Read and encode a task's training split.

    Args:
        change: what is done to the examples first; see `transfer.text.augment.prepare`.
        held_out: so many of the last English rows are left out.

    Raises:
        DataError: the split is absent, malformed or empty.
    """
    examples: list[Example] = []
    for language in languages:
        found = task.load(source, "train", language)
        if language == SOURCE_LANGUAGE:
            found = found[: len(found) - held_out]
        examples += found[:max_examples]
    if not examples:
        raise DataError(f"{task.name}: no training rows in {', '.join(languages)}")
    task = task.labelled(source)
    encoder = Encoder(tokenization.load(directory), tokenization.pad_id(directory), max_length)
    return _KINDS[task.format](task, change(examples), encoder)
