"""What a distillation computes: the student's steps, and the teacher on the same rows.

>>> work = distilling_work(config, student, teacher, text)
>>> len(work.batches)     # of the student and of its teacher, on rows and on plain text
4
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from compress.distill.kept_logits import worth_caching
from evalsuite.inference.task_head import head_reads_two_texts
from evalsuite.machine.work import Work
from recipes.stages._shared.planned_model import PlannedModel
from recipes.stages._shared.planned_text import PlannedText, Rows
from recipes.stages._shared.planned_work import (
    opening,
    running_work,
    saving,
    training_work,
)
from transfer.find_task import find_task
from transfer.loop.training_length import steps_for

_TOKENIZERS = 5  # times that one is opened
_OPENINGS = 3  # of a model: the teacher, and both for their comparison


def distilling_work(
    config: Any, student: PlannedModel, teacher: PlannedModel, text: PlannedText
) -> Work:
    """The steps, and the text they read.

    Args:
        config: with the keys that `distill` and `prune` share.
    """
    plain = config.multilingual if config.tasks else 1.0
    rows = [
        text.task(
            student,
            name,
            "train",
            find_task(name).training_languages,
            config.max_examples,
            config.max_length,
        )
        for name in config.tasks
    ]
    total = sum(part.total / part.per_row for part in rows)
    parts = [(part, (1 - plain) * part.total / part.per_row / total) for part in rows]
    if plain:
        languages = getattr(config, "languages", ()) or None
        tasks = [find_task(name) for name in config.tasks]
        paired = float(head_reads_two_texts(teacher.head, tasks))
        lines = text.parallel(student, languages, config.max_pairs, paired, config.max_length)
        if getattr(config, "skip_longer", False):
            lines = lines.shorter_than(config.max_length)
        parts.append((lines, plain))
        total = total or lines.total
    kept_out = text.held_out() if plain else 0.0
    steps = steps_for(round(total), config.batch_size, config.epochs, config.max_steps)
    trained = training_work(config, student, parts, steps=steps)
    before = Work()
    different = sum(part.total / part.per_row for part, _ in parts)
    if _reads_rows_once(config, student, teacher, steps, different):
        every = bool(plain) and config.balance_labels
        before = _logits_before(config, teacher, parts, steps, every)
        if config.hidden == config.relations == 0:
            return trained + before + Work(text=kept_out)
    teaching = tuple(
        replace(batches, shape=teacher.shape(), backward="none", dropout=False)
        for batches in trained.batches
        if batches.backward != "none"
    )
    return trained + before + Work(teaching, text=kept_out)


def _reads_rows_once(
    config: Any, student: PlannedModel, teacher: PlannedModel, steps: int, rows: float
) -> bool:
    """Whether the teacher's logits are kept, and not computed with every batch."""
    if not hasattr(config, "cache") or teacher.head is None:  # of prune; without logits
        return False
    apart = config.student is not None and student.tokenizer != teacher.tokenizer
    kept = apart and config.logits > 0
    return kept or worth_caching(config, steps * config.batch_size, rows)


def _logits_before(
    config: Any,
    teacher: PlannedModel,
    parts: Sequence[tuple[Rows, float]],
    steps: int,
    every: bool,
) -> Work:
    """The teacher once over the rows in batches.

    Args:
        parts: with the share of batches of each; they are read once, for teacher and student.
        every: all rows of the last part, plain text, are read, whether in batches or not.
    """
    done = Work()
    for number, (part, share) in enumerate(parts, 1):
        drawn = steps * share * config.batch_size * part.per_row
        read = 1.0 if every and number == len(parts) else min(1.0, drawn / part.total)
        done += replace(running_work(teacher, part), text=0.0).times(read)
    return done


def student_work(
    config: Any, student: PlannedModel, teacher: PlannedModel, text: PlannedText
) -> Work:
    """A student is trained and written."""
    done = opening(teacher, text, _TOKENIZERS, _OPENINGS) + distilling_work(
        config, student, teacher, text
    )
    return done + opening(student, text, 0) + saving(student)
