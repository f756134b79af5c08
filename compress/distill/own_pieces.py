"""Teacher and student with different tokenizers: each reads the same text in its own pieces.

>>> own_tokenizer(student_dir, teacher_dir)
True
>>> placed = Placed(targets, theirs=teacher_rows, own=student_rows)
>>> placed.batch(Batch(0, (3, 7), seed=0), tokens=31)["targets"].shape
torch.Size([2, 31, 17])

Logits of a whole row need no matching. Logits of tags are matched word by word: those of
the token that starts a word in one model with those of the token that starts it in the other.
Hidden states are matched on text without labels, see `compress.distill.segments`. What else is
counted in tokens (attention relations, ends of spans) is refused, see
`compress.distill.rules.other_tokenizer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from compress.distill.targets import Targets
from evalsuite.agreement import across_vocabularies, outputs
from evalsuite.agreement.outputs import Parity
from evalsuite.inference.predictor import Predictor
from evalsuite.inference.probe_text import sample, sample_rows
from evalsuite.inference.session import Session
from evalsuite.opening.tokenizer import same_tokenizer
from evalsuite.task import DataSource, Task
from transfer.loop.batch_plan import Batch
from transfer.loop.types import Tensors


def own_tokenizer(student: Path | None, teacher: Path) -> bool:
    """Whether a student has another tokenizer than its teacher."""
    return student is not None and not same_tokenizer(student, teacher)


def tokenizer_from(student: Path | None, teacher: Path) -> Path:
    """The directory whose tokenizer the student reads text with."""
    return teacher if student is None or not own_tokenizer(student, teacher) else student


def parity(
    teacher: Predictor, student: Predictor, task: Task, source: DataSource, count: int
) -> Parity:
    """Agreement on `count` rows per language of the task's text.

    Each model splits the text itself where their tokenizers differ. Encoders are compared by the
    mean of their last hidden states, however many layers each has.
    """
    session = Session(teacher)
    if not teacher.labels or own_tokenizer(student.directory, teacher.directory):
        rows = sample_rows(task, source, count)
        return across_vocabularies.compare(session, Session(student), task.format, rows).parity
    longest = min(teacher.max_length, student.max_length)
    text = sample(session.tokenizer, longest, task, source, count)
    return outputs.compare(session, student, text)


class Placed:
    """A teacher's logits, put where the student's rows have them.

    Args:
        targets: computed on `theirs`.
        theirs, own: the same text, in the pieces of the teacher and of the student; rows with
            `words` are of tags.
    """

    def __init__(self, targets: Targets, theirs: Sequence[Any], own: Sequence[Any]) -> None:
        self.targets, self.own = targets, own
        self.places = [_starts(rows) if hasattr(rows, "words") else None for rows in theirs]

    def batch(self, batch: Batch, tokens: int) -> Tensors:
        """Of a batch whose longest row has `tokens` tokens.

        Returns:
            `targets`: logits of rows `[batch, labels]`; of tags `[batch, tokens, labels]`, and then
            `matched` `[batch, tokens]`, 1 on tokens whose word the teacher has a token for.
        """
        places = self.places[batch.part]
        if places is None:
            return {"targets": self.targets.batch(batch)}
        logits: np.ndarray | None = None
        matched = torch.zeros(len(batch.indices), tokens)
        for row, index in enumerate(batch.indices):
            example, words = self.own[batch.part].words[index]
            for token, word in enumerate(words):
                place = places.get((example, word)) if word >= 0 else None
                if place is None:
                    continue
                found = self.targets.row(batch.part, place[0])[place[1]]
                if logits is None:
                    logits = np.zeros((*matched.shape, len(found)), dtype=np.float32)
                logits[row, token], matched[row, token] = found, 1.0
        if logits is None:  # no word of the batch has a token in both
            logits = np.zeros((*matched.shape, self.targets.labels), dtype=np.float32)
        return {"targets": torch.from_numpy(logits), "matched": matched}


def _starts(rows: Any) -> dict[tuple[int, int], tuple[int, int]]:
    """Example and word -> the row and the token that starts the word."""
    return {
        (example, word): (row, token)
        for row, (example, words) in enumerate(rows.words)
        for token, word in enumerate(words)
        if word >= 0
    }
