"""Real sentences of every language a source has, encoded, for uses that need no labels.

>>> {language: len(sequences) for language, sequences in sample(...).items()}
{'de': 32, 'sw': 32}

Parity probes and speed measurements run on such text, at its real lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalsuite import formats
from evalsuite.errors import DataError
from evalsuite.formats import Encoded
from evalsuite.task import DataSource, Task

if TYPE_CHECKING:
    from tokenizers import Tokenizer


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

    Rows are spread over each file rather than taken from its top. A long sentence of a tagging
    task may become several sequences.

    Raises:
        DataError: the source has no rows of the task.
    """
    split = task.eval_split(source)
    languages = task.available(source, split)
    if not languages:
        raise DataError(f"{task.name} has no {split} rows in the source {source.kind}")
    chosen = {}
    for language in languages:
        rows = task.load(source, split, language)
        spread = rows[:: max(1, len(rows) // per_language)][:per_language]
        chosen[language] = formats.get(task.format).encode(tokenizer, spread, max_length)
    return chosen
