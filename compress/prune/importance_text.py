"""Text that importance is measured on: English rows of a task, sentences of every language.

>>> batches = importance_batches(directory, [TASKS.get("xnli")], source, count=256, ...)
>>> sorted(batches[0])
['attention_mask', 'input_ids', 'labels']
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evalsuite import tokenization
from evalsuite.inference.checkpoint_config import head_of, model_config
from evalsuite.inference.task_head import head_reads_two_texts
from evalsuite.task import DataSource, Task
from transfer.encoded_rows.load_rows import load_rows
from transfer.loop.batch_plan import Batch, padded
from transfer.loop.types import Tensors
from transfer.text import parallel_text


def importance_batches(
    directory: Path,
    tasks: Sequence[Task],
    source: DataSource,
    *,
    count: int,
    max_length: int,
    batch_size: int,
    max_pairs: int | None,
    seed: int,
) -> list[Tensors]:
    """`count` training rows with their labels, and as many sentences without.

    The sentences are of the source's parallel text, as many of each language, English among them; a
    model that reads two texts gets them with their translations. The sources `files` and `hub` have
    no such text, so rows are all there is.

    Raises:
        DataError: there are no rows, or no parallel text.
    """
    found: list[Tensors] = []
    each = -(-count // len(tasks))
    for task in tasks:
        rows = load_rows(task, source, directory, max_length)
        if task.format == "ranking":  # queries and passages alike, as sentences
            found += _plain(_some(rows.sequences(), each, seed), directory, batch_size, False)
            continue
        chosen = _some(range(len(rows)), each, seed)
        lengths = rows.lengths()
        chosen.sort(key=lambda index: lengths[index])
        for start in range(0, len(chosen), batch_size):
            indices = tuple(chosen[start : start + batch_size])
            found.append(rows.collate(Batch(0, indices, seed)))
    if source.kind in ("files", "hub"):
        return found
    format = head_of(model_config(directory))
    two = head_reads_two_texts(format, tasks)
    ids = _sentences(directory, source, count, max_length, max_pairs, two, seed)
    return found + _plain(ids, directory, batch_size, format == "choice")


def _some(items: Sequence[Any], count: int, seed: int) -> list[Any]:
    return random.Random(seed).sample(list(items), min(count, len(items)))


def _plain(
    ids: Sequence[list[int]], directory: Path, batch_size: int, choices: bool
) -> list[Tensors]:
    pad = tokenization.pad_id(directory)
    order = sorted(ids, key=len)
    found = []
    for start in range(0, len(order), batch_size):
        tensors = padded(order[start : start + batch_size], pad)
        found.append({name: t[:, None] for name, t in tensors.items()} if choices else tensors)
    return found


def _sentences(
    directory: Path,
    source: DataSource,
    count: int,
    max_length: int,
    max_pairs: int | None,
    paired: bool,
    seed: int,
) -> list[list[int]]:
    """Token ids of sentences, or of sentences with their translations."""
    read = parallel_text.read(source, None, max_pairs)
    inputs: list[Any] = []
    rng = random.Random(seed)
    foreign = len(read.languages) - 1
    by_language: dict[int, list[tuple[str, str]]] = {}
    for language, there, here in read.pairs:
        by_language.setdefault(language, []).append((there, here))
    parts = foreign if paired else foreign + 1  # English is in every pair
    for pairs in by_language.values():
        some = rng.sample(pairs, min(-(-count // parts), len(pairs)))
        inputs += [rng.choice((pair, pair[::-1])) if paired else pair[0] for pair in some]
    if not paired:
        english = [here for _, _, here in read.pairs]
        inputs += rng.sample(english, min(-(-count // parts), len(english)))
    tokenizer = tokenization.load(directory)
    tokenizer.enable_truncation(max_length, strategy="longest_first")
    return [encoding.ids for encoding in tokenizer.encode_batch(inputs)]
