"""The text a benchmark runs: real sentences of all languages, at their real lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalsuite import formats
from evalsuite.errors import DataError
from evalsuite.formats import retrieval
from evalsuite.task import DataSource, ParallelExample, Task

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def sequences(
    tokenizer: Tokenizer, task: Task, source: DataSource, count: int, max_length: int
) -> tuple[list[list[int]], str]:
    """About `count` token-id sequences spread evenly over the languages, and what they are.

    None is longer than `max_length`, what the model takes.

    Raises:
        DataError: the source has no rows of the task.
    """
    split = task.eval_split(source)
    languages = task.available(source, split)
    if not languages:
        raise DataError(f"{task.name} has no {split} rows in the source {source.kind}")
    share = max(1, count // len(languages))
    ids: list[list[int]] = []
    for language in languages:
        rows = task.load(source, split, language)
        chosen = rows[:: max(1, len(rows) // share)][:share]
        if task.format == "retrieval":
            sentences = [row.foreign for row in chosen if isinstance(row, ParallelExample)]
            encoded = retrieval.encode(tokenizer, sentences, max_length)
        else:
            encoded = formats.get(task.format).encode(tokenizer, chosen, max_length)
        ids += [item.ids for item in encoded]
    return ids, f"{task.name} {split}, {len(languages)} languages, {len(ids)} sentences"
