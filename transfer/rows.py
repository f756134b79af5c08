"""Training rows of a task, encoded: what a model reads, and what it is to say.

>>> rows = load_rows(get("udpos"), DataSource("embedded"), Path("base"), max_length=128)
>>> rows.collate(Batch(0, (0, 1), seed=1))["labels"].shape
torch.Size([2, 14])
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from evalsuite import formats, tokenization
from evalsuite.data.ranking import RankingTask
from evalsuite.errors import DataError
from evalsuite.formats import Encoded, span
from evalsuite.formats.retrieval import encode_sentences
from evalsuite.task import (
    ChoiceExample,
    DataSource,
    Example,
    MatchExample,
    PairExample,
    SpanExample,
    TagExample,
    Task,
)
from transfer.augment import Augmentation, varied
from transfer.batches import Batch, padded
from transfer.train import Progress, Tensors

IGNORE = -100  # cross-entropy's ignore_index
_AS_THEY_STAND = Augmentation()


class Rows:
    """Encoded training rows of one task.

    Attributes:
        ids: token ids a row, of each of its choices in turn where it has choices, of query and
            passage where these are to be matched.
        targets: a label id (pair); one id a token, -100 where there is none (tagging); the first
            and the last token of the answer, 0 and 0 where a window has none (spans); the index
            of the right choice.
    """

    def __init__(
        self, task: Task, examples: Sequence[Example], tokenizer: Any, max_length: int, pad_id: int
    ) -> None:
        self.task, self.pad_id = task, pad_id
        encoded: list[Encoded] = []
        if task.format != "ranking":
            encoded = formats.get(task.format).encode(tokenizer, examples, max_length)
        index = {label: number for number, label in enumerate(task.labels)}
        self.ids: list[tuple[list[int], ...]] = []
        self.targets: list[int | list[int] | tuple[int, int]] = []
        if task.format == "choice":
            self._add_choices(examples, encoded)
            return
        if isinstance(task, RankingTask):
            self._add_matches(task, examples, tokenizer, max_length)
            return
        for item in encoded:
            example = examples[item.example]
            target: int | list[int] | tuple[int, int]
            if isinstance(example, PairExample):
                if example.label is None:
                    continue
                target = index[example.label]
            elif isinstance(example, SpanExample):
                target = span.target(example, item) or (0, 0)
            else:
                assert isinstance(example, TagExample)
                tags = example.tags
                target = [IGNORE if word < 0 else index[tags[word]] for word in item.words]
            self.ids.append((item.ids,))
            self.targets.append(target)

    def _add_choices(self, examples: Sequence[Example], encoded: Sequence[Encoded]) -> None:
        counts = {len(e.choices) for e in examples if isinstance(e, ChoiceExample)}
        if len(counts) > 1:
            raise DataError(
                f"{self.task.name}: rows of {min(counts)} and of {max(counts)} choices; all rows "
                "to train on need as many"
            )
        sequences = iter(encoded)
        for example in examples:
            assert isinstance(example, ChoiceExample)
            ids = tuple(next(sequences).ids for _ in example.choices)
            if example.label is not None:
                self.ids.append(ids)
                self.targets.append(example.label)

    def _add_matches(
        self, task: RankingTask, examples: Sequence[Example], tokenizer: Any, max_length: int
    ) -> None:
        matches = [example for example in examples if isinstance(example, MatchExample)]
        sides = (
            ([match.query for match in matches], task.query_tokens),
            ([match.passage for match in matches], task.candidate_tokens),
        )
        queries, passages = (
            encode_sentences(tokenizer, texts, min(longest, max_length)) for texts, longest in sides
        )
        self.ids = [(q.ids, p.ids) for q, p in zip(queries, passages, strict=True)]
        self.targets = [0] * len(matches)

    def __len__(self) -> int:
        return len(self.ids)

    def lengths(self) -> list[int]:
        """Tokens a row, of its longest sequence where it has several."""
        return [max(map(len, ids)) for ids in self.ids]

    def collate(self, batch: Batch) -> Tensors:
        """`input_ids`, `attention_mask` `[batch(, choices), tokens]`, `labels` `[batch(, tokens)]`;
        spans have `start_positions` and `end_positions` `[batch]` instead; rows to be matched have
        `query_ids`, `query_mask`, `passage_ids` and `passage_mask` `[batch, tokens]`."""
        if self.task.format == "ranking":
            sides = {}
            for side, name in enumerate(("query", "passage")):
                tensors = padded([self.ids[index][side] for index in batch.indices], self.pad_id)
                sides[f"{name}_ids"] = tensors["input_ids"]
                sides[f"{name}_mask"] = tensors["attention_mask"]
            return sides
        flat = [ids for index in batch.indices for ids in self.ids[index]]
        tensors = padded(flat, self.pad_id)
        if self.task.format == "choice":
            rows = len(batch.indices)
            labels = torch.tensor([self.targets[index] for index in batch.indices])
            split = {name: t.view(rows, -1, t.shape[1]) for name, t in tensors.items()}
            return {**split, "labels": labels}
        if self.task.format == "span":
            ends = torch.tensor([self.targets[index] for index in batch.indices])
            return {**tensors, "start_positions": ends[:, 0], "end_positions": ends[:, 1]}
        shape = tensors["input_ids"].shape
        labels = torch.full(shape[:1] if self.task.format == "pair" else shape, IGNORE)
        for row, index in enumerate(batch.indices):
            target = self.targets[index]
            if isinstance(target, int):
                labels[row] = target
            else:
                labels[row, : len(target)] = torch.tensor(target)
        return {**tensors, "labels": labels}


def load_rows(
    task: Task,
    source: DataSource,
    directory: Path,
    max_length: int,
    *,
    languages: Sequence[str] = ("en",),
    max_examples: int | None = None,
    augmentation: Augmentation = _AS_THEY_STAND,
    seed: int = 0,
    progress: Progress = lambda fraction, text: None,
) -> Rows:
    """Read and encode a task's training split.

    Raises:
        DataError: the split is absent, malformed or empty, or `augmentation` needs parallel text
            the source does not have.
    """
    examples: list[Example] = []
    for language in languages:
        examples += task.load(source, "train", language)[:max_examples]
    if not examples:
        raise DataError(f"{task.name}: no training rows in {', '.join(languages)}")
    examples = varied(examples, augmentation, source, seed, progress)
    tokenizer = tokenization.load(directory)
    return Rows(task, examples, tokenizer, max_length, tokenization.pad_id(directory))
