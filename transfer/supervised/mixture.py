"""What the batches of a training are drawn from: a task's rows, a language of them, masked text.

>>> parts, steps, dev = load_parts([TASKS.get("xnli")], source, directory, options, progress)
>>> batches = draw(parts, batch_size=32, steps=steps, seed=1)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evalsuite.task import DataSource, Task
from transfer.encoded_rows import masked_text
from transfer.encoded_rows.encoded import Rows
from transfer.encoded_rows.load_rows import load_rows
from transfer.encoded_rows.masked_text import Masked
from transfer.loop.batch_plan import Batch, cut, plan
from transfer.loop.mixing import mix, shares
from transfer.loop.training_length import steps_for
from transfer.loop.types import Progress, Tensors
from transfer.supervised.dev_scores import DevSet, english
from transfer.supervised.options import Options
from transfer.text import augment


@dataclass(frozen=True, slots=True)
class Part:
    """One data set of a mixture.

    Attributes:
        share: of batches.
        head: index of its task; None for masked LM.
    """

    rows: Rows | Masked
    share: float
    head: int | None


def load_parts(
    tasks: Sequence[Task],
    source: DataSource,
    directory: Path,
    options: Options,
    progress: Progress,
) -> tuple[list[Part], int, list[DevSet]]:
    """What to draw from, how many batches, and the rows that are scored while training.

    Raises:
        DataError: rows or text are absent.
        MethodError: a task has no English rows to score.
    """
    progress(0.0, "reading rows")
    seed, share, how = options.settings.seed, options.masked.share, options.selecting
    change = augment.prepare(options.augmentation, source, seed, progress)
    dev = [english(task, source, how.examples, how.rows) for task in tasks] if how else []
    apart = options.language_temperature is not None

    def sets(task: Task) -> list[tuple[str, ...]]:
        codes = options.languages or task.training_languages
        return [(code,) for code in codes] if apart else [codes]

    def read(task: Task, codes: tuple[str, ...], held_out: int) -> Rows:
        return load_rows(
            task,
            source,
            directory,
            options.max_length,
            languages=codes,
            max_examples=options.max_examples,
            change=change,
            held_out=held_out,
        )

    held = [one.held_out for one in dev] or [0] * len(tasks)
    rows = [
        [read(task, codes, held_out) for codes in sets(task)]
        for task, held_out in zip(tasks, held, strict=True)
    ]
    sizes = [sum(map(len, sets)) for sets in rows]
    if tasks:
        examples = sum(sizes) / (1 - share)  # an epoch is one of the tasks' own rows
        steps = steps_for(examples, options.rows, options.epochs, options.max_steps)
    else:
        steps = options.max_steps or 1
    weights = shares(sizes, options.cap, options.mixing, options.temperature) if tasks else []
    parts = of_tasks(rows, [w * (1 - share) for w in weights], options.language_temperature)
    if share > 0:
        text = masked_text.load(
            source,
            directory,
            options.masked,
            max_length=options.max_length,
            count=max(1, round(steps * options.rows * share)),
            seed=seed,
            progress=progress,
        )
        parts.append(Part(text, share, None))
    return parts, steps, dev


def of_tasks(
    rows: Sequence[Sequence[Rows]], weights: Sequence[float], temperature: float | None
) -> list[Part]:
    """A part a task, or a language of it.

    Args:
        rows: of each task, a set per language where these are sampled apart, else one.
        weights: sampling probability of each task.
        temperature: of sampling languages; batches are then of one language each.
    """
    parts = []
    for head, (sets, weight) in enumerate(zip(rows, weights, strict=True)):
        sizes = [len(one) for one in sets]
        own = shares(sizes, mixing="temperature", temperature=temperature or 1.0)
        parts += [Part(one, weight * share, head) for one, share in zip(sets, own, strict=True)]
    return parts


def rows_of(parts: Sequence[Part], head: int) -> list[Rows]:
    """The rows of one task, a set per language where these are sampled apart."""
    return [part.rows for part in parts if part.head == head and not isinstance(part.rows, Masked)]


def draw(parts: Sequence[Part], batch_size: int, steps: int, seed: int) -> list[Batch]:
    """`steps` batches of `batch_size` rows, each of one part."""
    if len(parts) == 1:
        return plan(parts[0].rows.lengths(), batch_size, steps, seed)
    lengths = [part.rows.lengths() for part in parts]
    return mix(lengths, [part.share for part in parts], batch_size, steps, seed)


def collated(parts: Sequence[Part], *, heads: bool) -> Callable[[Batch], Tensors]:
    """What makes a batch tensors: `part` is the task's head where there are `heads` to choose
    from, and `masked` is there on batches of masked LM."""

    def collate(batch: Batch) -> Tensors:
        part = parts[batch.part]
        tensors: Tensors = part.rows.collate(batch)
        if part.head is None:
            return {**tensors, "masked": True}
        return {**tensors, "part": part.head} if heads else tensors

    return collate


def cutter(parts: Sequence[Part], rows: int, tokens: int | None) -> Callable[[Batch], list[Batch]]:
    """What makes a batch micro-batches; see `transfer.loop.batch_plan.cut`.

    A row of several sequences, as of multiple choice, has the tokens of its longest for each.
    """
    lengths = [part.rows.lengths() for part in parts]
    each = [len(part.rows.sequences()) // len(part.rows) for part in parts]

    def cut_one(batch: Batch) -> list[Batch]:
        most = tokens and max(tokens // each[batch.part], 1)
        return cut(batch, lengths[batch.part], rows, most)

    return cut_one
