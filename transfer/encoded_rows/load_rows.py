"""Training rows of a task, encoded: what a model reads, and the labels it is trained on.

>>> rows = load_rows(TASKS.get("udpos"), DataSource("embedded"), Path("base"), max_length=128)
>>> rows.collate(Batch(0, (0, 1), seed=1))["labels"].shape
torch.Size([2, 14])

The task's format decides which file of `transfer.encoded_rows.formats` builds the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evalsuite import tokenization
from evalsuite.errors import DataError
from evalsuite.task import DataSource, Example, Task
from transfer.encoded_rows.encoded import Encoder, Rows
from transfer.registry import ROWS
from transfer.text.augment import Change
from transfer.text.sentence_pairs import SentencePairs


def load_rows(
    task: Task,
    source: DataSource,
    directory: Path,
    max_length: int,
    *,
    languages: Sequence[str] | None = None,
    max_examples: int | None = None,
    change: Change = list,
    held_out: int = 0,
) -> Rows:
    """Read and encode a task's training split.

    Args:
        directory: of the checkpoint whose tokenizer encodes the rows.
        max_length: tokens of the longest sequence, special tokens included.
        languages: of the rows; None for the task's own training languages.
        max_examples: rows per language, at most.
        change: applied to the examples before they are encoded; see
            `transfer.text.augment.prepare`.
        held_out: number of English rows at the end of the split that are left out.

    Raises:
        DataError: the split is absent, malformed or empty.
        UnknownNameError: tasks of this format cannot be trained on.
    """
    examples: list[Example] = []
    languages = languages or task.training_languages
    for language in languages:
        split = task.load(source, "train", language)
        if language == task.source_language:
            split = split[: len(split) - held_out]
        examples += task.some_of(split, max_examples)
    if not examples:
        raise DataError(f"{task.name}: no training rows in {', '.join(languages)}")
    if isinstance(task, SentencePairs):
        change = task.around_prefixes(change)
    task = task.labelled(source)
    encoder = Encoder(tokenization.load(directory), tokenization.pad_id(directory), max_length)
    return ROWS.get(task.format)(task, change(examples), encoder)
