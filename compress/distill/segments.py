"""Hidden states of two models that split text into other pieces, matched segment by segment.

>>> shared_segments([(0, 2), (0, 5), (0, 9)], [(0, 5), (0, 7), (0, 9)])
([0, 0, 1], [0, 1, 1])

Two tokenizers end some of their pieces at the same character. The text from one such end to the
next is a segment: a word, several words, or one piece that both have. The state of a segment is
the mean of the states of its pieces. Only the ends are compared, because tokenizers differ in
whether a piece begins with the space before it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from evalsuite import tokenization
from transfer.loop.batch_plan import Batch, padded
from transfer.loop.types import Tensors

End = tuple[int, int]  # text of the pair, or word; character after the piece in it
_NONE = -1


@dataclass(frozen=True, slots=True)
class Segments:
    """The same rows in the pieces of both models.

    Attributes:
        ids, mask: what the teacher reads, `[rows, teacher's tokens]`.
        teacher: number of the segment that each of the teacher's tokens is in, -1 for none.
        student: the same for the student's tokens, `[rows, student's tokens]`.
        starts: of a token of the student that starts a word, the teacher's token that starts it,
            `[rows, student's tokens]`, -1 for others; None where the head has no output per word.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    teacher: torch.Tensor
    student: torch.Tensor
    starts: torch.Tensor | None = None

    @classmethod
    def take(cls, tensors: Tensors) -> Segments | None:
        """Take them out of the tensors of a batch; None where they are not there."""
        if "segments" not in tensors:
            return None
        return cls(
            ids=tensors.pop("teacher_ids"),
            mask=tensors.pop("teacher_mask"),
            teacher=tensors.pop("teacher_segments"),
            student=tensors.pop("segments"),
            starts=tensors.pop("teacher_starts", None),
        )

    def inputs(self) -> Tensors:
        """What the teacher reads."""
        return {"input_ids": self.ids, "attention_mask": self.mask}

    def logits(self, teacher: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The teacher's logits where the student's rows have them.

        Args:
            teacher: `[rows, labels]`, or of tags `[rows, teacher's tokens, labels]`.

        Returns:
            `[rows, labels]` and None; of tags `[rows, student's tokens, labels]`, and 1 on tokens
            that start a word of both, else 0, `[rows, student's tokens]`.
        """
        if self.starts is None:
            return teacher, None
        places = self.starts.clamp(min=0).unsqueeze(-1).expand(-1, -1, teacher.shape[-1])
        return teacher.gather(1, places), (self.starts >= 0).long()


class SegmentedText:
    """Text without labels, in the pieces of the student and of the teacher.

    Args:
        rows: the text in the student's pieces, with `lengths()` and `collate(batch)`.
        texts: the same rows as text: one or two texts per row.
        student, teacher: directories, whose tokenizers are used.
    """

    def __init__(
        self, rows: Any, texts: Sequence[Any], student: Path, teacher: Path, max_length: int
    ) -> None:
        self.rows, self.texts = rows, texts
        self.tokenizers = tokenization.load(student), tokenization.load(teacher)
        self.pad_id = tokenization.pad_id(teacher)
        for tokenizer in self.tokenizers:
            tokenizer.enable_truncation(max_length, strategy="longest_first")

    def __len__(self) -> int:
        return len(self.rows)

    def lengths(self) -> list[int]:
        """Student's tokens per row."""
        lengths: list[int] = self.rows.lengths()
        return lengths

    def texts_of(self, batch: Batch) -> list[Any]:
        """The texts of a batch."""
        return [self.texts[index] for index in batch.indices]

    def rows_of(self, batch: Batch) -> Tensors:
        """The same texts as the student reads them."""
        tensors: Tensors = self.rows.collate(batch)
        return tensors

    def collate(self, batch: Batch) -> Tensors:
        """The tensors of a batch.

        Returns:
            What `rows` gives, and `teacher_ids`, `teacher_mask`, `teacher_segments` and
            `segments`, which `Segments` describes.
        """
        texts = self.texts_of(batch)
        student, teacher = (each.encode_batch(texts) for each in self.tokenizers)
        return {**self.rows_of(batch), **self._segments(student, teacher)}

    def _segments(self, student: Sequence[Any], teacher: Sequence[Any]) -> Tensors:
        by_word = isinstance(self, SegmentedWords)
        numbers = [
            shared_segments(_ends(one, by_word), _ends(two, by_word))
            for one, two in zip(student, teacher, strict=True)
        ]
        inputs = padded([encoding.ids for encoding in teacher], self.pad_id)
        return {
            "teacher_ids": inputs["input_ids"],
            "teacher_mask": inputs["attention_mask"],
            "teacher_segments": padded([two for _, two in numbers], _NONE)["input_ids"],
            "segments": padded([one for one, _ in numbers], _NONE)["input_ids"],
        }


class SegmentedWords(SegmentedText):
    """Text without labels for models that tag words.

    Args:
        rows: as `SegmentedText`.
        texts: the words of each row.
    """

    def collate(self, batch: Batch) -> Tensors:
        """As `SegmentedText`, and `teacher_starts`."""
        texts = self.texts_of(batch)
        student, teacher = (
            each.encode_batch(texts, is_pretokenized=True) for each in self.tokenizers
        )
        starts = [
            shared_starts(one.word_ids, two.word_ids)
            for one, two in zip(student, teacher, strict=True)
        ]
        return {
            **self.rows_of(batch),
            **self._segments(student, teacher),
            "teacher_starts": padded(starts, _NONE)["input_ids"],
        }


def shared_starts(student: Sequence[int | None], teacher: Sequence[int | None]) -> list[int]:
    """Of each piece that starts a word, the place of the teacher's piece that starts it; else -1.

    >>> shared_starts([None, 0, 0, 1, None], [None, 0, 1, 1, None])
    [-1, 1, -1, 2, -1]

    Args:
        student, teacher: number of the word of each piece, None for special tokens.
    """
    places = {word: place for place, word in reversed(list(enumerate(teacher)))}
    return [
        _NONE if word is None or word in student[:place] else places.get(word, _NONE)
        for place, word in enumerate(student)
    ]


def _ends(encoding: Any, by_word: bool) -> list[End | None]:
    """Where each piece ends; None for special tokens, which are no part of the text.

    Args:
        by_word: the characters of each word are counted from its start.
    """
    units = encoding.word_ids if by_word else encoding.sequence_ids
    return [
        None if unit is None else (unit, end)
        for unit, (_, end) in zip(units, encoding.offsets, strict=True)
    ]


def shared_segments(
    student: Sequence[End | None], teacher: Sequence[End | None]
) -> tuple[list[int], list[int]]:
    """The number of the segment that each piece is in, from 0; -1 for pieces that are in none.

    Pieces after the last end that both have are in none: one of the two was cut short there.
    """
    ends = sorted(set(student) & set(teacher) - {None})  # type: ignore[type-var]
    return _numbers(student, ends), _numbers(teacher, ends)


def _numbers(pieces: Sequence[End | None], ends: Sequence[Any]) -> list[int]:
    numbers = (_NONE if end is None else bisect_left(ends, end) for end in pieces)
    return [number if number < len(ends) else _NONE for number in numbers]


def segment_states(
    states: Sequence[torch.Tensor], segments: torch.Tensor, count: int
) -> list[torch.Tensor]:
    """Mean state of the pieces of each segment, zeros for a segment that a row does not have.

    Args:
        states: of several layers, `[rows, tokens, width]` each.
        segments: `[rows, tokens]`, -1 for none.
        count: most segments in a row.

    Returns:
        `[rows, count, width]` per layer.
    """
    member = nn.functional.one_hot(segments + 1, count + 1)[..., 1:].to(states[0].dtype)
    pieces = member.sum(1).clamp(min=1).unsqueeze(-1)
    return [member.transpose(1, 2) @ each / pieces for each in states]
