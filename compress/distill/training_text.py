"""What a student is trained on: rows of tasks, and plain multilingual text.

>>> text = read_text([TASKS.get("xnli")], source, directory, options, "pair")
>>> len(text.parts), len(text.batches)
(2, 400)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.distill import plain_text
from compress.distill.options import Options
from compress.distill.own_pieces import own_tokenizer, tokenizer_from
from compress.distill.segments import SegmentedText
from compress.distill.streamed_text import StreamedTexts
from evalsuite import tokenization
from evalsuite.inference.task_head import head_reads_two_texts
from evalsuite.task import DataSource, Task
from transfer.encoded_rows.load_rows import load_rows
from transfer.loop.batch_plan import Batch
from transfer.loop.mixed_plan import MixedPlan, in_memory
from transfer.loop.mixing import mix
from transfer.loop.stream_plan import StreamPlan
from transfer.loop.training_length import steps_for
from transfer.loop.types import Progress
from transfer.text import augment
from transfer.text.sentence_pairs import SentencePairs
from transfer.text.stream import tokenize


@dataclass(frozen=True, slots=True)
class TrainingText:
    """Encoded text, and the batches of the training.

    Attributes:
        parts: the rows of each task, then the plain text where it is used; each has `lengths()`
            and `collate(batch)`.
        batches: in the order of training; `Batch.part` is the number of a part. Those of a stream
            are computed when they are asked for.
        theirs: the same parts in the teacher's pieces, where the student has another tokenizer.
    """

    parts: list[Any]
    batches: Sequence[Batch]
    theirs: list[Any] | None = None

    @property
    def streamed(self) -> bool:
        """Whether the plain text is a stream."""
        return isinstance(self.parts[-1], StreamedTexts)

    def rows(self) -> int:
        """Rows of all parts."""
        return sum(len(part) for part in self.parts)

    def teacher_reads_along(self, part: int) -> bool:
        """Whether the teacher runs with every batch of a part, so that its logits are at hand."""
        return isinstance(self.parts[part], SegmentedText)

    def cached_rows(self, *, all_plain: bool = False) -> list[set[int]]:
        """The rows of each part whose logits are computed before training: those in batches.

        Of parts that the teacher reads along there are none. Of tagged sentences in other pieces
        they are its rows of the same sentences.

        Args:
            all_plain: all rows of plain text too, the last part, whether in batches or not.
        """
        wanted: list[set[int]] = [set() for _ in self.parts]
        for batch in self.batches:
            if not self.teacher_reads_along(batch.part):
                wanted[batch.part].update(batch.indices)
        theirs = self.parts if self.theirs is None else self.theirs
        if self.theirs is not None:
            wanted = [
                _same_examples(own, other, rows)
                for own, other, rows in zip(self.parts, theirs, wanted, strict=True)
            ]
        if all_plain:
            wanted[-1] = set(range(len(theirs[-1])))
        return wanted

    def parallel(self) -> tuple[plain_text.Parallel | plain_text.BothSides, list[Batch]] | None:
        """The part whose sentence embeddings are matched, and its batches; None without one."""
        last = self.parts[-1]
        if isinstance(last, SegmentedText) and not isinstance(last, plain_text.BothSides):
            last = last.rows
        if not isinstance(last, plain_text.Parallel | plain_text.BothSides):
            return None
        number = len(self.parts) - 1
        return last, [batch for batch in self.batches if batch.part == number]


def _same_examples(own: Any, theirs: Any, rows: set[int]) -> set[int]:
    """The teacher's rows of the examples that some of the student's rows are of."""
    if not hasattr(theirs, "words"):  # a row for each example
        return rows
    examples = {own.words[row][0] for row in rows}
    return {row for row, (example, _) in enumerate(theirs.words) if example in examples}


def plain_share(options: Options, tasks: Sequence[Task]) -> float:
    """Share of batches that are plain multilingual text: all of them where there is no task."""
    return options.multilingual if tasks else 1.0


def read_text(
    tasks: Sequence[Task],
    source: DataSource,
    teacher: Path,
    options: Options,
    head: str | None,
    progress: Progress = lambda fraction, text: None,
) -> TrainingText:
    """Read and encode all text, and plan the batches.

    Args:
        teacher: its directory.
        head: format of the teacher's task head; None for an encoder.

    Raises:
        DataError: training rows or parallel text are absent.
    """
    if options.stream is not None:
        return _with_stream(tasks, source, teacher, options, head, progress)
    apart = own_tokenizer(options.student, teacher)
    directory = tokenizer_from(options.student, teacher)
    plain = plain_share(options, tasks)

    def read(whose: Path, embedder: Path | None) -> list[Any]:
        rows = _task_rows(tasks, source, whose, options, progress)
        if plain > 0:
            progress(0.0, "reading multilingual text")
            how: plain_text.Pieces = "same"
            if apart:
                by_word = head == "tagging" and options.hidden == 0
                how = "words" if by_word else "segments"
            rows.append(
                plain_text.read(
                    source,
                    whose,
                    options,
                    head,
                    tasks,
                    teacher=embedder,
                    pieces=how,
                    counted=directory,
                )
            )
        return rows

    parts = read(directory, teacher)
    sizes = [len(rows) for rows in parts[: len(tasks)]]
    weights = [(1 - plain) * size / sum(sizes) for size in sizes] + [plain] * (plain > 0)
    theirs = read(teacher, None) if apart and options.logits > 0 else None
    rows_per_epoch = sum(sizes) or len(parts[-1])
    steps = steps_for(rows_per_epoch, options.batch_size, options.epochs, options.max_steps)
    lengths = [rows.lengths() for rows in parts]
    batches = mix(lengths, weights, options.batch_size, steps, options.settings.seed)
    return TrainingText(parts, batches, theirs)


def _with_stream(
    tasks: Sequence[Task],
    source: DataSource,
    teacher: Path,
    options: Options,
    head: str | None,
    progress: Progress,
) -> TrainingText:
    """The rows of the tasks, and a stream as plain text."""
    assert options.stream is not None
    directory = tokenizer_from(options.student, teacher)
    parts = _task_rows(tasks, source, directory, options, progress)
    sizes, plain = [len(rows) for rows in parts], plain_share(options, tasks)
    paired = head_reads_two_texts(head, tasks)
    longest = options.max_length // (2 if paired else 1)
    tokenizer = tokenization.load(directory)
    text = tokenize(options.stream, tokenizer, longest, source, progress)
    size, seed = options.batch_size, options.settings.seed
    steps = steps_for(sum(sizes) or text.rows, size, options.epochs, options.max_steps)

    def stream(count: int, part: int) -> StreamPlan:
        return text.plan(alpha=options.alpha, batch_size=size, steps=count, seed=seed, part=part)

    weights = [(1 - plain) * rows / sum(sizes) for rows in sizes] + [plain]
    ways = [*(in_memory(rows.lengths(), size, seed) for rows in parts), stream]
    plan = MixedPlan(ways, weights, steps, seed)
    lines = plan.plans[-1]
    assert isinstance(lines, StreamPlan)
    pad_id = tokenization.pad_id(directory)
    choices = head == "choice"
    parts.append(StreamedTexts(lines, tokenizer, pad_id, paired=paired, choices=choices))
    return TrainingText(parts, plan)


def _task_rows(
    tasks: Sequence[Task], source: DataSource, directory: Path, options: Options, progress: Progress
) -> list[Any]:
    """The training rows of each task."""
    parts: list[Any] = []
    if not tasks:  # nothing to change, so no dictionary is read
        return parts
    change = augment.prepare(options.augmentation, source, options.settings.seed, progress)
    for task in tasks:
        progress(0.0, f"reading {task.name}")
        if task.by_embedding:
            vectors = options.vectors
            task = SentencePairs([task], None, vectors.prefix, vectors.passage_prefix)
        rows = load_rows(
            task,
            source,
            directory,
            options.max_length,
            max_examples=options.max_examples,
            change=change,
        )
        if task.by_embedding:  # both sides are plain sentences
            parts.append(plain_text.Texts(rows.sequences(), rows.pad_id))
        else:
            parts.append(rows)
    return parts
