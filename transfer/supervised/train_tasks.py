"""Train an encoder on one task, or on several at once with one head each.

>>> trained = train_tasks(
...     Path("base"), [find_task("mnli")], source, Options(method="lora", precision="nf4", ...),
...     work=work, out=out,
... )
>>> trained.summary["trained parameters %"]
0.61

One task gives a checkpoint (or an adapter) with that task's head. Several tasks give the encoder
alone, because the encoder is what is trained on a target task next (Phang et al. 2020); their heads
are kept in `heads.safetensors`, for the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from transformers.trainer_utils import set_seed

from evalsuite.inference.task_head import head_of_task
from evalsuite.task import DataSource, Format, Task
from transfer.encoded_rows.encoded import unreached_summary
from transfer.errors import MethodError
from transfer.loop import processes
from transfer.loop.fit import Fitted, fit
from transfer.loop.types import Progress, Summary, TrainingData
from transfer.models import checkpoints
from transfer.models.continue_adapter import PreviousAdapter
from transfer.models.first_score import begin_in_units, fold_units
from transfer.models.heads import join, objective
from transfer.models.sentence_files import declare_vectors
from transfer.objectives.sentence_vectors import dimension_problems
from transfer.precision.train_rounded import quantize_aware
from transfer.registry import METHODS
from transfer.supervised import rules
from transfer.supervised.constant_answer import little_learnt
from transfer.supervised.dev_scores import Dev, DevSet
from transfer.supervised.keep_best import Selection
from transfer.supervised.mixture import Part, collated, cutter, draw, load_parts, rows_of
from transfer.supervised.options import Options
from transfer.supervised.restarts import refuse_collapse, train_with_restarts
from transfer.supervised.save_trained import training_summary, write
from transfer.supervised.snapshots import Tail
from transfer.text.sentence_pairs import SentencePairs


@dataclass(frozen=True, slots=True)
class Trained:
    """The result of a training.

    Attributes:
        fitted: steps, examples and losses.
        summary: what the stage prints, such as `{"steps": 400, "final loss": 0.61}`.
    """

    fitted: Fitted
    summary: Summary


def train_tasks(
    directory: Path,
    tasks: Sequence[Task],
    source: DataSource,
    options: Options,
    *,
    work: Path,
    out: Path,
    progress: Progress = lambda fraction, text: None,
) -> Trained:
    """Train the model in `directory` and write the result to `out`.

    Args:
        directory: a checkpoint; with `options.sequential` an adapter, whose base is then held in
            the precision the adapter was trained on.
        tasks: none where the model is trained on masked text alone.
        work: where a training that was killed resumes from.

    Raises:
        MethodError: the tasks, the method and the options do not go together.
        AdapterError: the adapter in `directory` cannot be trained on.
        DivergedError: the loss is no longer a finite number; with `options.restarts`, every try
            failed.
        DataError: rows or text are absent.
    """
    _check(tasks, options)
    tasks = [task.labelled(source) for task in tasks]
    if rules.trains_vectors(tasks, options.belonging):
        vectors = options.vectors.resolved(directory)
        options = replace(options, vectors=vectors)
        prefixes = vectors.prefix, vectors.passage_prefix
        tasks = [SentencePairs(tasks, options.belonging, *prefixes)]

    def once(seed: int, place: Path) -> Trained:
        seeded = replace(options, settings=replace(options.settings, seed=seed))
        return _train(_Job(directory, tasks, source, seeded, place, out), progress)

    seed = options.settings.seed
    trained, failures = train_with_restarts(once, options.restarts, seed, work)
    if options.restarts:
        trained.summary["seed"] = seed + len(failures)
        trained.summary["began again"] = "; ".join(failures) or "never"
    return trained


@dataclass(frozen=True, slots=True)
class _Job:
    """One training with one seed; fields as the arguments of `train_tasks`."""

    directory: Path
    tasks: Sequence[Task]
    source: DataSource
    options: Options
    work: Path
    out: Path

    @property
    def only_task(self) -> Task | None:
        """The task, where there is exactly one."""
        return self.tasks[0] if len(self.tasks) == 1 else None

    @property
    def masked(self) -> bool:
        """Whether some batches are of masked LM."""
        return self.options.masked.share > 0

    def optimizer_steps(self, batches: int) -> int:
        """How many optimizer steps take these batches."""
        return batches if self.options.cuts else max(1, batches // self.options.settings.accumulate)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A model that is ready to be trained.

    Attributes:
        directory: the checkpoint it is, or the base of the adapter that is trained on.
        method: module of `transfer.methods` that prepared it.
        model: what the method saves.
        trained: `model`, together with the heads that are trained next to its own.
        head: whether the task's head is the checkpoint's or new; None without one task.
        footprint: megabytes of the base by part, in the precision it is held in.
        lm_head: where the masked-LM head is from, for the summary.
    """

    directory: Path
    method: Any
    model: Any
    trained: Any
    head: str | None
    footprint: dict[str, float]
    lm_head: Summary


def _train(job: _Job, progress: Progress) -> Trained:
    """One try, with the seed of `job.options`."""
    options = job.options
    previous = PreviousAdapter.read(job.directory, options)
    directory = previous.adapter.base if previous is not None else job.directory
    longest = checkpoints.longest(directory, options.max_length)
    parts, batches, dev = load_parts(
        job.tasks, job.source, directory, replace(options, max_length=longest), progress
    )
    set_seed(options.settings.seed)  # new heads depend on the seed
    opened = _open(job, directory, previous, parts)
    opened.trained.train()
    keeper = _keeper(job, opened, dev, job.optimizer_steps(batches))
    with quantize_aware(opened.trained, options.quantize_aware):
        fitted = fit(
            opened.trained,
            _data(job, parts, batches),
            objective(job.only_task, job.masked, options.vectors, options.robust),
            options.settings,
            job.work,
            progress,
            after=keeper or (lambda step: None),
        )
    rows = [part.rows for part in parts]
    if options.restarts:
        selection = keeper if isinstance(keeper, Selection) else None
        refuse_collapse(fitted, selection, () if options.robust.adversarial else rows)
    kept: Summary = {}
    if processes.is_main():
        if keeper:
            kept = keeper.finish()
        opened.trained.eval()
        fold_units(opened.trained)
        pairs = job.only_task if isinstance(job.only_task, SentencePairs) else None
        names = [task.name for task in (pairs.headless if pairs else job.tasks)]
        model, trained = opened.model, opened.trained
        write(opened.method, model, trained, names, opened.directory, options, job.out)
        if pairs:
            declare_vectors(pairs.trained(options.vectors), opened.directory, job.out)
    summary: Summary = {}
    if not options.robust.adversarial:  # it adds to the loss
        summary |= little_learnt(fitted.final_loss, rows)
    summary |= training_summary(fitted, opened.trained, opened.footprint) | opened.lm_head | kept
    summary |= checkpoints.truncation_summary(options.max_length, longest)
    summary |= unreached_summary(rows)
    if previous is not None:
        summary["sequential"] = previous.mode
    if opened.head:
        summary["head"] = opened.head
    return Trained(fitted, summary)


def _open(
    job: _Job, directory: Path, previous: PreviousAdapter | None, parts: Sequence[Part]
) -> _Opened:
    """Open the checkpoint, have the method prepare it, and add the heads that it lacks."""
    options, task = job.options, job.only_task
    method = METHODS.get(options.method)
    base, kept = checkpoints.load(directory, task, options.precision)
    sizes = options.vectors.dimensions
    if problems := dimension_problems(sizes, base.config.hidden_size):
        raise MethodError(problems[0])
    if previous is not None:
        kept = previous.put_head(base, task, job.source) or kept
    if task and task.labels:
        begin_in_units(base, task, rows_of(parts, 0), carried_over=kept)
    checkpoints.hold_embeddings(base, options.embeddings)
    footprint = checkpoints.memory(base)
    format: Format | None = (head_of_task(task) or task.format) if task else None
    model = method.prepare(base, format, options.precision, **options.method_options)
    if previous is not None:
        previous.apply(model)
    with_heads = job.tasks if len(job.tasks) > 1 else ()
    adapter = method.GIVES != "checkpoint"
    trained, lm_head = join(model, with_heads, directory, job.masked, adapter)
    for number, own in enumerate(with_heads):
        begin_in_units(trained.heads[number].whole, own, rows_of(parts, number))
    head = None
    if task:
        head = checkpoints.head_origin(directory, task, kept)
    return _Opened(directory, method, model, trained, head, footprint, lm_head)


def _keeper(
    job: _Job, opened: _Opened, dev: Sequence[DevSet], steps: int
) -> Selection | Tail | None:
    """What keeps other weights than the last step's; None where the last ones are the result."""
    options = job.options
    if options.selecting:
        scores = Dev(dev, opened.directory, opened.trained)
        return Selection(scores, opened.trained, options.selecting, steps, job.work)
    if options.average:
        return Tail(opened.trained, options.average, options.average_share, steps, job.work)
    return None


def _data(job: _Job, parts: Sequence[Part], batches: int) -> TrainingData:
    """The batches, drawn from the parts."""
    options = job.options
    return TrainingData(
        draw(parts, options.rows, batches, options.settings.seed),
        collated(parts, heads=len(job.tasks) > 1),
        cutter(parts, options.batch_size, options.batch_tokens) if options.cuts else None,
    )


def _check(tasks: Sequence[Task], options: Options) -> None:
    """Raise where tasks and options do not go together, with every problem."""
    masked = options.masked
    problems = [
        *rules.task_problems(
            tasks,
            evaluated=options.selecting is not None,
            parts=options.cuts,
            belonging=options.belonging,
        ),
        *rules.mixing_problems(options.mixing, options.cap, options.temperature),
        *rules.masked_problems(
            masked.share,
            masked.tlm,
            masked.languages,
            tasks=bool(tasks),
            max_steps=options.max_steps,
        ),
    ]
    if problems:
        raise MethodError("\n".join(dict.fromkeys(problems)))
