"""Real sentences of every language a source has, encoded, for uses that need no labels.

>>> {language: len(sequences) for language, sequences in sample(...).items()}
{'de': 32, 'sw': 32}

Parity probes and speed measurements run on such text, at its real lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from evalsuite.errors import DataError
from evalsuite.inference.encoded import Encoded
from evalsuite.registry import FORMATS
from evalsuite.task import DataSource, Example, Task

if TYPE_CHECKING:
    from tokenizers import Tokenizer


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Probe:
    """Which text, and how many rows a language (0: none, what it is for is left out)."""

    task: Task
    source: DataSource
    per_language: int

    def sequences(self, tokenizer: Tokenizer, max_length: int) -> dict[str, list[Encoded]]:
        """See `sample`."""
        return sample(tokenizer, max_length, self.task, self.source, self.per_language)


def sample(
    tokenizer: Tokenizer, max_length: int, task: Task, source: DataSource, per_language: int
) -> dict[str, list[Encoded]]:
    """Sequences of a task's evaluation text by language, none longer than `max_length`.

    A long sentence of a tagging task may become several sequences. Rows and errors are those of
    `sample_rows`.
    """
    module = FORMATS.get(task.format)
    return {
        language: module.encode(tokenizer, rows, max_length)
        for language, rows in sample_rows(task, source, per_language).items()
    }


def sample_rows(task: Task, source: DataSource, per_language: int) -> dict[str, Sequence[Example]]:
    """Rows of a task's evaluation split by language, spread over each file.

    Raises:
        DataError: the source has no rows of the task.
    """
    split = task.eval_split(source)
    languages = task.readable(source, split)
    if not languages:
        raise DataError(f"{task.name} has no {split} rows in the source {source.kind}")
    return {
        language: spread(task.load(source, split, language), per_language) for language in languages
    }


def spread(rows: Sequence[T], count: int) -> Sequence[T]:
    """At most `count` of the rows, evenly apart over all of them.

    >>> spread([0, 1, 2, 3, 4, 5, 6], 3)
    [0, 2, 4]
    """
    if len(rows) <= count:
        return rows
    return [rows[index * len(rows) // count] for index in range(count)]
