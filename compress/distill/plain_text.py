"""Plain multilingual text to learn on: rows without labels, and sentences with their translations.

>>> text = read(source, directory, options, head="pair")
>>> text.collate(Batch(0, (3, 7), seed=0))["input_ids"].shape
torch.Size([2, 31])
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from compress.distill.options import Options
from compress.distill.segments import SegmentedText, SegmentedWords
from compress.distill.sentences import turn
from compress.distill.whole_text import no_longer
from evalsuite import tokenization
from evalsuite.data.parallel import segments
from evalsuite.errors import DataError
from evalsuite.formats import tagging
from evalsuite.inference.encoded import Encoded
from evalsuite.inference.task_head import head_reads_two_texts
from evalsuite.task import DataSource, TagExample, Task
from transfer.loop.batch_plan import Batch, padded
from transfer.loop.compute import resolve_compute
from transfer.loop.types import Progress, Tensors
from transfer.text import parallel_text
from transfer.text.parallel_text import Choice
from transfer.text.teacher_vectors import embed, targets

Pieces = Literal["same", "words", "segments"]  # how outputs of other pieces are matched
_SPREAD_BATCHES = 32  # batches whose sentences are embedded to find the spread alone
_SAMPLE = 2048  # sentences that the spread of embeddings, and the turn, are found on


class Texts:
    """Encoded text without labels; for a model of choices each row has one choice."""

    def __init__(self, ids: list[list[int]], pad_id: int, choices: bool = False) -> None:
        self.ids, self.pad_id, self.choices = ids, pad_id, choices

    def __len__(self) -> int:
        return len(self.ids)

    def collate(self, batch: Batch) -> Tensors:
        """Ids and mask; no labels."""
        tensors = padded([self.ids[index] for index in batch.indices], self.pad_id)
        return {name: t[:, None] for name, t in tensors.items()} if self.choices else tensors

    def lengths(self) -> list[int]:
        """Tokens a sequence."""
        return [len(ids) for ids in self.ids]


class Words(Texts):
    """Encoded text without labels whose words are known.

    Attributes:
        words: of each row the example it is of, and the word that each token starts, else -1.
    """

    def __init__(self, encoded: Sequence[Encoded], pad_id: int) -> None:
        super().__init__([item.ids for item in encoded], pad_id)
        self.words = [(item.example, list(item.words)) for item in encoded]


class Parallel(Texts):
    """The same, and sentences whose embeddings are matched.

    Attributes:
        spread: mean squared distance of the teacher's embeddings from their mean.

    Args:
        pairs: a sentence and its English translation each, or one sentence.
        directory: of the student, whose tokenizer is used.
        teacher: directory of the teacher, which reads what it embeds with its own: the English
            sides, for both, or each side with `options.each_side`.
    """

    def __init__(
        self,
        texts: Texts,
        pairs: Sequence[tuple[str, ...]],
        directory: Path,
        teacher: Path,
        options: Options,
    ) -> None:
        super().__init__(texts.ids, texts.pad_id, texts.choices)
        self.pairs = pairs  # foreign, English; or one sentence
        self.each, self.pooling = options.each_side, options.vectors.pooling or "mean"
        self.own_pooling = options.own_vectors.pooling or "mean"
        if isinstance(texts, Words):
            self.words = texts.words
        self.tokenizer = tokenization.load(directory)
        self.theirs, self.their_pad = tokenization.load(teacher), tokenization.pad_id(teacher)
        for tokenizer in (self.tokenizer, self.theirs):
            tokenizer.enable_truncation(options.max_length)
        self.skipped = 0 if options.prefixed else len(options.vectors.prefix or "")
        self.rows: dict[str, int] = {}
        self.vectors = np.zeros((0, 0), dtype=np.float16)
        self.spread = 1.0

    def teach(
        self,
        teacher: Any,
        student: Any,
        batches: Sequence[Batch],
        compute: str,
        work: Path,
        progress: Progress,
    ) -> None:
        """Embed what is matched in these batches, once each, or open what an earlier run left.

        Args:
            student: as it is before training.
            work: where an earlier run of the same batches left them.
        """
        lines = sorted({line for batch in batches for line in self._taught(batch)})
        if not lines:
            return
        kind = resolve_compute(compute)

        def run(some: Sequence[str]) -> np.ndarray:
            ids = _ids(self.theirs, some)
            return embed(teacher.base_model, ids, self.their_pad, kind, self.pooling)

        self.vectors = targets(run, lines, work / "sentences", progress)
        self.rows = {line: row for row, line in enumerate(lines)}
        some = slice(None, None, -(-len(lines) // _SAMPLE))
        sample = self.vectors[some].astype(np.float32)
        if student.config.hidden_size != sample.shape[1]:
            ids = self._own_ids(lines[some])
            begun = embed(student.base_model, ids, self.pad_id, kind, self.own_pooling)
            matrix = turn(sample, begun)
            self.vectors, sample = _turned(self.vectors, matrix), _turned(sample, matrix)
        self.spread = max(float(sample.var(0).sum()), 1e-6)

    def _own_ids(self, lines: Sequence[str]) -> list[list[int]]:
        """Of sentences as the student reads them, perhaps without the teacher's prefix."""
        return _ids(self.tokenizer, [line[self.skipped :] for line in lines])

    def sides(self, batch: Batch) -> list[str]:
        """All sentences of a batch: the English ones, then the others."""
        numbers: Sequence[int] = batch.indices
        if hasattr(self, "words"):  # a long line is several rows
            numbers = [self.words[index][0] for index in numbers]
        pairs = [self.pairs[number] for number in numbers]
        return [pair[side] for side in range(len(pairs[0]) - 1, -1, -1) for pair in pairs]

    def _taught(self, batch: Batch) -> list[str]:
        """Those that the teacher embeds."""
        sides = self.sides(batch)
        return sides if self.each else sides[: len(batch.indices)]

    def collate(self, batch: Batch) -> Tensors:
        """At the same time: `sides_ids` and `sides_mask`, `[sides, tokens]`, English sides first;
        `embeddings`, unit vectors of them, or of the English ones alone; `spread`."""
        sides = padded(self._own_ids(self.sides(batch)), self.pad_id)
        found = {
            **super().collate(batch),
            "sides_ids": sides["input_ids"],
            "sides_mask": sides["attention_mask"],
        }
        if self.rows:  # none while the teacher's logits are computed
            vectors = self.vectors[[self.rows[line] for line in self._taught(batch)]]
            found["embeddings"] = nn.functional.normalize(torch.from_numpy(vectors).float())
            found["spread"] = self.spread
        return found


class BothSides(SegmentedText):
    """Both sides of each pair as rows: one pass of each model gives the hidden states and the
    sentence embeddings that are matched. Lines of text are rows of one side.

    Args:
        pairs: the same text, with both sides of each pair.
    """

    def __init__(self, pairs: Parallel, student: Path, teacher: Path, max_length: int) -> None:
        super().__init__(pairs, (), student, teacher, max_length)
        self.pairs = pairs

    def texts_of(self, batch: Batch) -> list[Any]:
        """Both sides of each pair, English sides first."""
        return self.pairs.sides(batch)

    def rows_of(self, batch: Batch) -> Tensors:
        """Ids and mask, `[2 batch, tokens]`, and `spread`."""
        rows = padded(_ids(self.tokenizers[0], self.pairs.sides(batch)), self.pairs.pad_id)
        return {**rows, "spread": self.pairs.spread}

    def teach(
        self,
        teacher: Any,
        student: Any,
        batches: Sequence[Batch],
        compute: str,
        work: Path,
        progress: Progress,
    ) -> None:
        """Measure how far the teacher's embeddings of English sentences lie apart."""
        step = max(-(-len(batches) // _SPREAD_BATCHES), 1)
        self.pairs.teach(teacher, student, batches[::step], compute, work, progress)


def _ids(tokenizer: Any, lines: Sequence[str]) -> list[list[int]]:
    return [encoding.ids for encoding in tokenizer.encode_batch(list(lines))]


def _turned(vectors: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Vectors in another space, unit length as before."""
    found = vectors.astype(np.float32) @ matrix
    return np.asarray(
        found / np.linalg.norm(found, axis=1, keepdims=True).clip(1e-6), dtype=vectors.dtype
    )


def _sides(pairs: Sequence[tuple[str, ...]], seed: int, paired: bool) -> list[Any]:
    """Both sides of each pair in any order, or one of them."""
    rng = random.Random(seed)
    inputs: list[Any] = []
    for pair in pairs:
        sides = list(pair)
        rng.shuffle(sides)
        inputs.append(tuple(sides) if paired else sides[0])
    return inputs


def _lines(files: Sequence[Path], most: int | None, paired: bool, only: Choice | None) -> list[Any]:
    """The lines of each file, or each with the next one."""
    inputs: list[Any] = []
    for path in files:
        rows: Iterable[tuple[str, ...]] = ((line,) for line in segments(path))
        rows = only(rows) if only else rows
        lines = [line for (line,) in islice(rows, most) if line.strip()]
        inputs += zip(lines, [*lines[1:], *lines[:1]], strict=True) if paired else lines
    return inputs


def _from_files(
    options: Options, before: str, paired: bool, only: Choice | None
) -> tuple[list[Any], list[tuple[str, ...]]]:
    """What is read, and the sentences that are embedded where vectors are matched.

    Raises:
        DataError: no line is left.
    """
    inputs = _lines(options.text, options.max_pairs, paired, only)
    if not inputs and options.skip_longer:
        raise DataError(
            f"text: no line of {', '.join(map(str, options.text))} fits in max_length: "
            f"{options.max_length}; skip_longer: true drops longer lines\n"
            "set a larger max_length, or skip_longer: false to cut them"
        )
    lines: list[str] = []
    if options.sentences > 0:
        lines = _lines(options.text, options.max_pairs, False, only)
    own = inputs if paired else [before + line for line in inputs]
    return own, [(before + line,) for line in lines]


def read(
    source: DataSource,
    directory: Path,
    options: Options,
    head: str | None,
    tasks: Sequence[Task] = (),
    *,
    teacher: Path | None = None,
    pieces: Pieces = "same",
    counted: Path | None = None,
) -> Texts | SegmentedText:
    """Parallel text as a model with this head reads it: a sentence and its translation, or one of
    them; with both to be embedded where `options.sentences` asks for it.

    Args:
        directory: of the model whose tokenizer is used.
        teacher: directory of the teacher where both sides are to be embedded too.
        pieces: of student and teacher; for `words` sentences are split at spaces first, so that the
            tokens that start words are known.
        tasks: whose rows are read too, with one sentence or two.
        counted: directory of the model whose tokens are counted where longer text is left out;
            default: `directory`.

    Raises:
        DataError: the source or the files have no such text.
    """
    tokenizer = tokenization.load(directory)
    paired = head_reads_two_texts(head, tasks)
    before = "" if head else options.vectors.prefix or ""
    pairs: list[tuple[str, ...]] = []
    fitting = None
    if options.skip_longer:
        longest = options.max_length
        fitting = no_longer(counted or directory, longest, paired=paired, before=before)
    if options.text:
        inputs, pairs = _from_files(options, before, paired, fitting)
    else:
        corpus = parallel_text.read(
            source,
            options.languages or None,
            options.max_pairs,
            prose=options.prose,
            only=fitting,
        )
        pairs = [(before + foreign, before + english) for _, foreign, english in corpus.pairs]
        inputs = _sides(pairs, options.settings.seed, paired)
    pad_id = tokenization.pad_id(directory)
    found: Texts
    if pieces == "words":
        examples = [TagExample(str(n), tuple(line.split()), ()) for n, line in enumerate(inputs)]
        found = Words(tagging.encode(tokenizer, examples, options.max_length), pad_id)
    else:
        words = pieces == "segments" and head == "tagging"
        if words:
            inputs = [line.split() for line in inputs]
        tokenizer.enable_truncation(options.max_length, strategy="longest_first")
        encodings = tokenizer.encode_batch(inputs, is_pretokenized=words)
        ids = [encoding.ids for encoding in encodings]
        found = Texts(ids, pad_id, head == "choice")
    if teacher is None:
        return found
    if options.sentences > 0:
        found = Parallel(found, pairs, directory, teacher, options)
    if options.hidden > 0 and pieces == "segments":
        if head == "tagging":
            return SegmentedWords(found, inputs, directory, teacher, options.max_length)
        if head is None and isinstance(found, Parallel):
            return BothSides(found, directory, teacher, options.max_length)
        return SegmentedText(found, inputs, directory, teacher, options.max_length)
    return found
