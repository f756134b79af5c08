"""Train a student on a teacher's outputs.

>>> distill(teacher, [TASKS.get("xnli")], source, Options(layers=6, ...), work=work, out=out)

The text is the task's English training rows and, to keep transfer to other languages, a share of
plain multilingual text, on which the same outputs are matched without labels, and sentences with
their translations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers.trainer_utils import set_seed

from compress.distill.balance import balanced
from compress.distill.consistent import require_consistent
from compress.distill.dropout import dropout
from compress.distill.elastic_cuts import Cuts, declare
from compress.distill.elastic_training import ElasticLoss, elastic_cuts
from compress.distill.initial_student import Start, layers_of, matched, origin, start
from compress.distill.kept_logits import worth_caching
from compress.distill.label_order import label_order, numbered_alike, require_labels
from compress.distill.losses import matched_loss
from compress.distill.new_head import begin_head, needs_head
from compress.distill.options import Options
from compress.distill.own_pieces import Placed, own_tokenizer, tokenizer_from
from compress.distill.student_batch import Match, StudentBatch
from compress.distill.targets import Targets
from compress.distill.teachers import in_order, logits_function, model_of, open_teacher
from compress.distill.training_text import TrainingText, read_text
from compress.errors import StudentError
from evalsuite.inference.checkpoint_config import head_of, model_config, read_config
from evalsuite.inference.predictor import Predictor
from evalsuite.retrieval.declared_vectors import declares
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.static.kind import is_static
from evalsuite.task import DataSource, Task
from transfer.encoded_rows.encoded import unreached_summary
from transfer.encoded_rows.label_sample import label_sample
from transfer.loop.batch_plan import Batch
from transfer.loop.compute import resolve_compute
from transfer.loop.fit import Fitted, fit
from transfer.loop.mixed_plan import MixedPlan
from transfer.loop.types import Objective, Progress, Summary, Tensors, TrainingData
from transfer.models import cards, checkpoints
from transfer.models.first_score import fold_units
from transfer.models.label_rows import put_in_order
from transfer.models.sentence_files import declare_vectors
from transfer.objectives.sentence_vectors import dimension_problems
from transfer.precision.fp32_attention import fp32_attention
from transfer.precision.train_rounded import quantize_aware

_SAMPLES = 8  # batches on which layers are compared, and a narrower student's directions found


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
) -> tuple[Fitted, Summary]:
    """Cut the student, train it, and write a checkpoint to `out`.

    Args:
        teacher_dir: a checkpoint, or a bundle, which gives logits only.
        student: a model that is cut already, and is trained in place; `options.layers` says which
            of the teacher's layers it has.

    Returns:
        The training's result, and the rows of the stage's summary.

    Raises:
        StudentError: no such student can be cut, narrowed or matched.
        DataError: training rows or text are absent.
    """
    predictor = open_teacher(teacher_dir, options.teacher_precision)
    teacher = model_of(predictor)
    asked = options.max_length
    head = head_of(model_config(teacher_dir))
    options = _fitted_options(teacher_dir, options, head)
    require_consistent(predictor, tasks, options)
    labelled = [task.labelled(source) for task in tasks]
    labels = label_order(predictor, labelled, options.labels > 0, "set labels: 0")
    in_order(predictor, labels)
    tasks = numbered_alike(labelled, labels)
    text = read_text(tasks, source, teacher_dir, options, head, progress)
    cached = _cached_logits(predictor, labels, text, options, work, progress)
    drawn: Summary = {}
    if options.balance_labels and cached is not None:
        text, drawn = balanced(text, cached, labels, options)
    counted = text.batches.rows if isinstance(text.batches, MixedPlan) else None
    data = TrainingData(text.batches, _collate(text, cached), rows=counted)
    set_seed(options.settings.seed)  # a head that is new depends on it
    if student is None:
        begun = _new_student(teacher, teacher_dir, labels, options, data, progress)
        student = begun.model
        new_head = options.student is not None and needs_head(options.student, teacher_dir)
        if new_head and predictor.answers == "score":
            begin_head(student, teacher, _scores(text, len(tasks), cached))
    else:
        chosen = layers_of(teacher, options)
        begun = Start(student, chosen, matched(chosen, teacher, options))
        put_in_order(student, labels)
    if (parallel := text.parallel()) is not None:
        rows, batches = parallel
        rows.teach(teacher, student, batches, options.settings.compute, work, progress)
    if problems := dimension_problems(options.vectors.dimensions, student.config.hidden_size):
        raise StudentError(problems[0])
    same = not own_tokenizer(options.student, teacher_dir)
    match = Match.of(teacher, student, begun.matched, options, predictor.answers, same)
    cuts = _cuts(student, options, data)
    fitted = _train(student, teacher, data, match, cuts, work, progress)
    fold_units(student)
    declare(student.config, cuts)
    kind = cards.kind_of(student.config)
    card = _card(predictor, origin(begun.kept, student, options), tasks, options, kind)
    checkpoints.save(student, tokenizer_from(options.student, teacher_dir), out, card)
    if head is None and (options.sentences > 0 or declares(teacher_dir)):
        declare_vectors(options.own_vectors, out, out)
    return fitted, {
        **_training_summary(fitted, cached is not None),
        **drawn,
        **_model_summary(student, predictor, begun.kept),
        **({"cuts": cuts.text()} if cuts is not None else {}),
        **checkpoints.truncation_summary(asked, options.max_length),
        **unreached_summary(text.parts),
    }


def _fitted_options(teacher_dir: Path, options: Options, head: str | None) -> Options:
    """The options with what the models allow: their length, logits only where there is a head, the
    teacher's prefix only where there is none."""
    directories = (teacher_dir, options.student or teacher_dir, *options.others)
    longest = min(checkpoints.longest(path, options.max_length) for path in directories)
    vectors = options.vectors
    static = options.student is not None and is_static(read_config(options.student))
    if head is None and (options.sentences > 0 or declares(teacher_dir)):
        vectors = vectors.resolved(teacher_dir)
    return replace(
        options,
        max_length=longest,
        logits=options.logits if head else 0.0,
        vectors=vectors if head is None else vectors.without_prefix(),
        prefixed=not static,
        static=static,
        each_side=options.each_side or bool(options.text),
    )


def _scores(text: TrainingText, tasks: int, cached: Targets | None) -> torch.Tensor | None:
    """Scores of the training rows: the teacher's where they are at hand, else the tasks'."""
    if cached is not None:
        return cached.values()
    scores = [found for part in text.parts[:tasks] if (found := label_sample(part)) is not None]
    return torch.cat(scores) if scores else None


def _cached_logits(
    teacher: Predictor,
    labels: Sequence[str],
    text: TrainingText,
    options: Options,
    work: Path,
    progress: Progress,
) -> Targets | None:
    """The teacher's logits of rows, or None where the teacher runs with every batch."""
    drawn = len(text.batches) * options.batch_size
    apart = text.theirs is not None
    runs = model_of(teacher) is not None and not apart
    if text.streamed:  # too many rows to keep something of each
        return None
    if runs and not worth_caching(options, drawn, text.rows()):
        return None
    wanted = text.cached_rows(all_plain=options.balance_labels)
    if not any(wanted):
        return None
    others = [open_teacher(path, options.teacher_precision) for path in options.others]
    for other in others:
        require_labels(other, labels, teacher)
    functions = [logits_function(each, labels) for each in (teacher, *others)]
    parts = text.parts if text.theirs is None else text.theirs
    return Targets.compute(functions, parts, work / "targets", progress, wanted)


def _collate(text: TrainingText, cached: Targets | None) -> Callable[[Batch], Tensors]:
    """The tensors of a batch, with the teacher's logits where they are cached."""
    placed = None
    if cached is not None and text.theirs is not None:
        placed = Placed(cached, text.theirs, text.parts)

    def collate(batch: Batch) -> Tensors:
        tensors: Tensors = text.parts[batch.part].collate(batch)
        if text.teacher_reads_along(batch.part):
            return tensors
        if placed is not None:
            tensors |= placed.batch(batch, tensors["input_ids"].shape[-1])
        elif cached is not None:
            tensors["targets"] = cached.batch(batch)
        return tensors

    return collate


def _new_student(
    teacher: Any,
    teacher_dir: Path,
    labels: Sequence[str],
    options: Options,
    data: TrainingData,
    progress: Progress,
) -> Start:
    """The student as it is before training, and the teacher's layer for each of its layers."""
    exact = options.teacher_precision == "fp32" or options.student is not None
    original = teacher if exact else load_checkpoint(teacher_dir).float()
    if not exact:
        put_in_order(original, labels)
    samples = (_inputs(data.collate(batch)) for batch in data.batches[:_SAMPLES])
    begun = start(original, teacher_dir, options, samples, progress)
    if options.logits > 0 or options.labels > 0:
        put_in_order(begun.model, labels)
    return begun


def _inputs(batch: Tensors) -> Tensors:
    return {name: batch[name] for name in ("input_ids", "attention_mask")}


def _cuts(student: Any, options: Options, data: TrainingData) -> Cuts | None:
    """The sizes of an elastic student, whose units are put in order; None of any other."""
    if options.elastic is None:
        return None
    return elastic_cuts(
        student,
        options.elastic,
        [_inputs(data.collate(batch)) for batch in data.batches[:_SAMPLES]],
        greedy=options.layer_choice == "greedy",
        seed=options.settings.seed,
    )


def _train(
    student: Any,
    teacher: Any,
    data: TrainingData,
    match: Match,
    cuts: Cuts | None,
    work: Path,
    progress: Progress,
) -> Fitted:
    """Train the student in place, and its smaller cuts with it."""
    options = match.options

    def loss(model: Any, batch: Tensors) -> torch.Tensor:
        return matched_loss(model, teacher, StudentBatch.of(batch), match)

    student.get_input_embeddings().weight.requires_grad_(not options.freeze_embeddings)
    student.train()
    fused = options.dropout == 0  # else torch's attention is another kernel
    compute = resolve_compute(options.settings.compute) if fused else "fp32"
    objective: Objective = loss
    with (
        quantize_aware(student, options.quantize_aware),
        dropout(student, options.dropout),
        fp32_attention(student, compute),
        ExitStack() as stack,
    ):
        if cuts is not None:
            elastic = stack.enter_context(ElasticLoss(cuts, teacher, match))
            objective, data = elastic.loss, elastic.data(data)
        fitted = fit(student, data, objective, options.settings, work, progress)
    student.eval()
    return fitted


def _card(
    teacher: Predictor, start: str, tasks: Sequence[Task], options: Options, kind: str
) -> str:
    """The student's README."""
    info = teacher.describe(teacher.directory.name)
    rounding = options.quantize_aware
    return cards.card(
        "Distilled student",
        [
            f"teacher: {teacher.directory.name}, {teacher.layers} layers, {info.runtime} "
            f"{info.precision}",
            f"started from: {start}",
            f"tasks: {', '.join(task.name for task in tasks) or 'none'}",
            *([f"trained to be exported in {rounding}"] if rounding else ()),
        ],
        kind,
    )


def _training_summary(fitted: Fitted, cached: bool) -> Summary:
    return {
        "steps": fitted.steps,
        "final loss": round(fitted.final_loss, 4),
        "compute": fitted.compute,
        "ms per step": round(1000 * fitted.seconds_per_step, 1),
        "teacher's logits": "once per row" if cached else "with every batch",
    }


def _model_summary(student: Any, teacher: Predictor, kept: Sequence[int]) -> Summary:
    info = teacher.describe(teacher.directory.name)
    width = model_config(teacher.directory)["hidden_size"]
    return {
        "layers": f"{student.config.num_hidden_layers} of {teacher.layers}",
        "layers kept": ", ".join(map(str, kept)),
        "width": f"{student.config.hidden_size} of {width}",
        "parameters": sum(p.numel() for p in student.parameters()),
        "parameters of the teacher": info.parameters,
        "teacher": f"{info.runtime} {info.precision}",
    }
