"""Train a student on a teacher's outputs.

>>> distill(teacher, [get("xnli")], source, Options(layers=6, ...), work=work, out=out)

The text is the task's English training rows and, so that transfer to other languages stays
alive, a share of plain multilingual text on which the same outputs are matched without labels.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from compress.distill import objective
from compress.distill.student import choose_layers, cut
from evalsuite import tokenization
from evalsuite.runtimes.torch import load_checkpoint, logits_of
from evalsuite.task import DataSource, Task
from transfer import augment, cards, checkpoints, text
from transfer.augment import Augmentation
from transfer.batches import Batch, padded, steps_for
from transfer.mixing import mix
from transfer.objectives.spans import ends_loss, over_tokens
from transfer.rows import load_rows
from transfer.rows.encoded import IGNORE
from transfer.train import Fitted, Progress, Settings, Tensors, fit

_GOLD = ("labels", "start_positions", "end_positions")
# Heads of models that read two texts.
_PAIRED = ("SequenceClassification", "QuestionAnswering", "MultipleChoice")


@dataclass(frozen=True, slots=True)
class Options:
    """The student and what it matches; a weight of 0 leaves a term out."""

    layers: int | tuple[int, ...]
    logits: float
    hidden: float
    labels: float  # the task's own loss
    temperature: float
    multilingual: float  # share of batches that are plain multilingual text
    batch_size: int
    epochs: float
    max_steps: int | None
    max_length: int
    max_examples: int | None
    max_pairs: int | None  # of multilingual text, a language
    settings: Settings
    freeze_embeddings: bool = False
    augmentation: Augmentation = field(default_factory=Augmentation)  # of the task's rows


class _Texts:
    """Encoded text without labels; for a model of choices each is a row of one choice."""

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


def _sentences(
    source: DataSource, directory: Path, options: Options, paired: bool
) -> list[list[int]]:
    """Plain multilingual text: a sentence and its translation, where `paired`, else one of them."""
    tokenizer = tokenization.load(directory)
    rng = random.Random(options.settings.seed)
    inputs: list[Any] = []
    for _, foreign, english in text.read(source, None, options.max_pairs).pairs:
        sides = [foreign, english]
        rng.shuffle(sides)
        inputs.append(tuple(sides) if paired else sides[0])
    tokenizer.enable_truncation(options.max_length, strategy="longest_first")
    return [encoding.ids for encoding in tokenizer.encode_batch(inputs)]


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
        student: one that is cut already, and is trained in place; `options.layers` says which of
            the teacher's layers it has.

    Raises:
        StudentError: the layers asked for are not there.
        DataError: training rows or text are absent.
    """
    teacher = load_checkpoint(teacher_dir)
    chosen = choose_layers(options.layers, teacher.config.num_hidden_layers)
    student = cut(teacher, chosen) if student is None else student
    head = type(teacher).__name__
    paired, choices = any(name in head for name in _PAIRED), "MultipleChoice" in head
    sets: list[Any] = []
    change = augment.prepare(options.augmentation, source, options.settings.seed, progress)
    for task in tasks:
        progress(0.0, f"reading {task.name}")
        rows = load_rows(
            task,
            source,
            teacher_dir,
            options.max_length,
            max_examples=options.max_examples,
            change=change,
        )
        if task.format == "ranking":  # queries and passages alike
            sets.append(_Texts(rows.sequences(), rows.pad_id))
        else:
            sets.append(rows)
    supervised = len(sets)
    sizes = [len(rows) for rows in sets]
    weights = [(1 - options.multilingual) * size / sum(sizes) for size in sizes]
    if options.multilingual > 0:
        progress(0.0, "reading multilingual text")
        ids = _sentences(source, teacher_dir, options, paired)
        sets.append(_Texts(ids, tokenization.pad_id(teacher_dir), choices))
        weights.append(options.multilingual)
    steps = steps_for(sum(sizes), options.batch_size, options.epochs, options.max_steps)
    lengths = [rows.lengths() for rows in sets]
    batches = mix(lengths, weights, options.batch_size, steps, options.settings.seed)
    labelled = supervised > 0 and options.labels > 0

    def collate(batch: Batch) -> Tensors:
        tensors: Tensors = sets[batch.part].collate(batch)
        return tensors

    def loss(model: Any, batch: Tensors) -> torch.Tensor:
        gold = {name: batch.pop(name) for name in _GOLD if name in batch}
        return _loss(model, teacher, batch, gold if labelled else {}, chosen, options)

    teacher.requires_grad_(False)
    if torch.cuda.is_available():
        teacher.cuda()
    student.get_input_embeddings().weight.requires_grad_(not options.freeze_embeddings)
    student.train()
    fitted = fit(student, batches, collate, loss, options.settings, work, progress)
    student.eval()
    before, after = (sum(p.numel() for p in m.parameters()) for m in (teacher, student))
    card = cards.card(
        "Distilled student",
        [
            f"teacher: {teacher_dir.name}, {teacher.config.num_hidden_layers} layers",
            f"layers kept: {', '.join(map(str, chosen))}",
            f"tasks: {', '.join(task.name for task in tasks) or 'none'}",
        ],
    )
    checkpoints.save(student, teacher_dir, out, card)
    return fitted, {
        "steps": fitted.steps,
        "final loss": round(fitted.final_loss, 4),
        "compute": fitted.compute,
        "ms a step": round(1000 * fitted.seconds_a_step, 1),
        "layers": f"{len(chosen)} of {teacher.config.num_hidden_layers}",
        "parameters": after,
        "parameters of the teacher": before,
    }


def _loss(
    student: Any,
    teacher: Any,
    batch: Tensors,
    gold: Tensors,
    chosen: Sequence[int],
    options: Options,
) -> torch.Tensor:
    """The weighted sum of the terms asked for."""
    hidden = options.hidden > 0
    with torch.no_grad():
        target = teacher(**batch, output_hidden_states=hidden)
    own = student(**batch, output_hidden_states=hidden)
    mask = batch["attention_mask"]
    total = torch.zeros((), device=mask.device)
    spans = "start_logits" in own
    if options.logits > 0 and (spans or "logits" in own):
        scores, wanted = logits_of(own).float(), logits_of(target).float()
        if spans:  # over the tokens, each end by itself
            scores, wanted = over_tokens(scores, mask), over_tokens(wanted, mask)
        per_token = not spans and scores.dim() == 3
        weight = mask if per_token else torch.ones(scores.shape[:-1], device=mask.device)
        total = total + options.logits * objective.logits_loss(
            scores, wanted, weight.float(), options.temperature
        )
    if hidden:
        total = total + options.hidden * objective.hidden_loss(
            own.hidden_states, target.hidden_states, chosen, mask.flatten(0, -2)
        )
    if "labels" in gold:
        total = total + options.labels * nn.functional.cross_entropy(
            own.logits.float().flatten(0, -2), gold["labels"].flatten(), ignore_index=IGNORE
        )
    elif gold:
        total = total + options.labels * ends_loss(logits_of(own), {**batch, **gold})
    return total
