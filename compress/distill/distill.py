"""Train a student on a teacher's outputs.

>>> distill(teacher, [get("xnli")], source, Options(layers=6, ...), work=work, out=out)

The text is the task's English training rows and, so that transfer to other languages stays
alive, a share of plain multilingual text on which the same outputs are matched without labels, and
sentences beside their translations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from compress.distill import plain_text
from compress.distill.initial_student import layers_of, origin, start
from compress.distill.losses import Match, matched_loss
from compress.distill.options import Options
from compress.distill.targets import Targets
from compress.distill.teachers import model_of, open_teacher, require_what_it_gives, says
from compress.errors import StudentError
from evalsuite.inference.open_model import head_of, read_config
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource, Task
from transfer.encoded_rows.load_rows import load_rows
from transfer.loop.batch_plan import Batch, steps_for
from transfer.loop.fit import Fitted, fit
from transfer.loop.mixing import mix
from transfer.loop.types import Progress, Tensors, TrainingData
from transfer.models import cards, checkpoints
from transfer.precision.train_rounded import quantize_aware
from transfer.text import augment

_SAMPLES = 8  # batches that a narrower student's directions are found on
_GOLD = ("labels", "start_positions", "end_positions")


def distill(
    teacher_dir: Path,
    tasks: Sequence[Task],
    source: DataSource,
    options: Options,
    *,
    work: Path,
    out: Path,
    progress: Progress = lambda fraction, text: None,
    student: Any = None,
) -> tuple[Fitted, dict[str, float | int | str]]:
    """Cut the student, train it, write a checkpoint to `out`.

    Args:
        teacher_dir: a checkpoint, or a bundle, which gives logits alone.
        student: one that is cut already, and is trained in place; `options.layers` says which of
            the teacher's layers it has.

    Raises:
        StudentError: no such student can be cut, narrowed or matched.
        DataError: training rows or text are absent.
    """
    opened = open_teacher(teacher_dir, options.teacher_precision)
    require_what_it_gives(opened, options)
    teacher = model_of(opened)
    head = head_of(read_config(teacher_dir))
    asked = options.max_length
    longest = min(
        checkpoints.longest(path, asked) for path in (teacher_dir, options.student or teacher_dir)
    )
    options = replace(options, max_length=longest, logits=options.logits if head else 0.0)
    plain = options.multilingual if tasks else 1.0
    require_matched(options, bool(tasks), plain)
    sets = _rows(tasks, source, teacher_dir, options, progress)
    sizes = [len(rows) for rows in sets]
    weights = [(1 - plain) * size / sum(sizes) for size in sizes]
    if plain > 0:
        progress(0.0, "reading multilingual text")
        sets.append(plain_text.read(source, teacher_dir, options, head))
        weights.append(plain)
    rows_to_read = sum(sizes) or len(sets[-1])
    steps = steps_for(rows_to_read, options.batch_size, options.epochs, options.max_steps)
    lengths = [rows.lengths() for rows in sets]
    batches = mix(lengths, weights, options.batch_size, steps, options.settings.seed)

    targets = None
    drawn = len(batches) * options.batch_size
    if teacher is None or cached(options, drawn, sum(len(rows) for rows in sets)):
        others = (open_teacher(path, options.teacher_precision) for path in options.others)
        runs = [says(own) for own in (opened, *others)]
        targets = Targets.compute(runs, sets, work / "targets", progress)

    def collate(batch: Batch) -> Tensors:
        tensors: Tensors = sets[batch.part].collate(batch)
        if targets is not None:
            tensors["targets"] = targets.batch(batch)
        return tensors

    samples = (_inputs(collate(batch)) for batch in batches[:_SAMPLES])
    if student is None:
        exact = options.teacher_precision == "fp32" or options.student is not None
        original = teacher if exact else load_checkpoint(teacher_dir)
        student, chosen = start(original, teacher_dir, options, samples)
    else:
        chosen = layers_of(teacher, options)
    if plain > 0 and isinstance(sets[-1], plain_text.Parallel):
        own = [batch for batch in batches if batch.part == len(sets) - 1]
        sets[-1].teach(teacher, student, own, options.settings.compute, work, progress)
    match = Match.of(teacher, student, chosen, options)

    def loss(model: Any, batch: Tensors) -> torch.Tensor:
        gold = {name: batch.pop(name) for name in _GOLD if name in batch}
        return matched_loss(model, teacher, batch, gold if options.labels > 0 else {}, match)

    student.get_input_embeddings().weight.requires_grad_(not options.freeze_embeddings)
    student.train()
    with quantize_aware(student, options.quantize_aware):
        fitted = fit(
            student, TrainingData(batches, collate), loss, options.settings, work, progress
        )
    student.eval()
    rounding = options.quantize_aware
    info = opened.describe(teacher_dir.name)
    card = cards.card(
        "Distilled student",
        [
            f"teacher: {teacher_dir.name}, {opened.layers} layers, {info.runtime} {info.precision}",
            f"started from: {origin(chosen, student, options)}",
            f"tasks: {', '.join(task.name for task in tasks) or 'none'}",
            *([f"trained to be exported in {rounding}"] if rounding else ()),
        ],
    )
    checkpoints.save(student, teacher_dir, out, card)
    return fitted, {
        "steps": fitted.steps,
        "final loss": round(fitted.final_loss, 4),
        "compute": fitted.compute,
        "ms a step": round(1000 * fitted.seconds_per_step, 1),
        "teacher's logits": "once a row" if targets is not None else "with every batch",
        "layers": f"{student.config.num_hidden_layers} of {opened.layers}",
        "width": f"{student.config.hidden_size} of {read_config(teacher_dir)['hidden_size']}",
        "parameters": sum(p.numel() for p in student.parameters()),
        "parameters of the teacher": info.parameters,
        "teacher": f"{info.runtime} {info.precision}",
        **checkpoints.truncation_summary(asked, longest),
    }


def _rows(
    tasks: Sequence[Task], source: DataSource, directory: Path, options: Options, progress: Progress
) -> list[Any]:
    """The tasks' training rows, a set each."""
    change = augment.prepare(options.augmentation, source, options.settings.seed, progress)
    sets: list[Any] = []
    for task in tasks:
        progress(0.0, f"reading {task.name}")
        rows = load_rows(
            task,
            source,
            directory,
            options.max_length,
            max_examples=options.max_examples,
            change=change,
        )
        if task.format == "ranking":  # queries and passages alike
            sets.append(plain_text.Texts(rows.sequences(), rows.pad_id))
        else:
            sets.append(rows)
    return sets


def require_matched(options: Options, tasks: bool, plain: float) -> None:
    """Raise StudentError unless something is matched on each kind of text."""
    anywhere = options.logits > 0 or options.hidden > 0 or options.relations > 0
    if tasks and not (anywhere or options.labels > 0):
        raise StudentError(
            "nothing is matched on the tasks' rows; leave tasks out, or set logits (of a teacher "
            "with a head), labels, hidden or relations above 0"
        )
    if plain > 0 and not (anywhere or options.sentences > 0):
        raise StudentError(
            "nothing is matched on plain multilingual text; set multilingual: 0, or one of logits "
            "(of a teacher with a head), hidden, relations and sentences above 0"
        )


def cached(options: Options, drawn: int, rows: int) -> bool:
    """Whether the teacher's logits are computed once a row.

    By default where logits are all that is matched and rows are met more than once.

    Raises:
        StudentError: that cannot be, for what is asked besides.
    """
    inside = options.hidden > 0 or options.relations > 0
    if inside and (options.others or options.cache == "always"):
        what = "others: teachers" if options.others else "cache: always"
        raise StudentError(
            f"{what} give logits alone; set hidden: 0 and relations: 0, or leave them out"
        )
    if options.others:
        return True
    saves = options.logits > 0 and not inside and drawn > rows
    return options.cache == "always" or (options.cache == "auto" and saves)


def _inputs(batch: Tensors) -> Tensors:
    return {name: batch[name] for name in ("input_ids", "attention_mask")}
