"""Train an encoder on one task, or on several at once with one head each.

>>> trained = train(Path("base"), [get("mnli")], source, Options(method="lora", precision="nf4"),
...                 work=work, out=out)
>>> trained.facts["trained parameters %"]
0.61

One task gives a checkpoint (or adapter) with that task's head. Several give the encoder alone,
since the encoder is what goes on to a target task (Phang et al. 2020); their heads are kept
beside it in `heads.safetensors`, for the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from transformers.trainer_utils import set_seed

from evalsuite.task import DataSource, Format, Task
from transfer.encoded_rows.masked_text import MaskedText
from transfer.errors import MethodError
from transfer.loop import processes
from transfer.loop.fit import Fitted, Progress, Settings, fit
from transfer.loop.mixing import Mixing
from transfer.methods.lora import Sequential
from transfer.models import checkpoints
from transfer.models.checkpoints import Embeddings, Precision
from transfer.models.continue_adapter import Before
from transfer.models.heads import join, objective
from transfer.objectives.robust import Robust
from transfer.precision.train_rounded import Rounding, quantize_aware
from transfer.registry import METHODS
from transfer.supervised.dev_scores import Dev
from transfer.supervised.keep_best import Selecting, Selection
from transfer.supervised.mixture import collated, cutter, draw, load_parts
from transfer.supervised.restarts import refuse_collapse, tried
from transfer.supervised.save_trained import facts_of, write
from transfer.supervised.snapshots import Tail
from transfer.text.augment import Augmentation


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to train and how; `Settings` has the optimizer's part."""

    method: str
    settings: Settings
    batch_size: int
    epochs: float = 1.0
    precision: Precision = "fp32"
    embeddings: Embeddings = "fp32"
    max_steps: int | None = None
    max_length: int = 128
    max_examples: int | None = None
    languages: tuple[str, ...] = ("en",)
    augmentation: Augmentation = field(default_factory=Augmentation)
    pooling: Literal["mean", "cls"] = "mean"  # of a bi-encoder
    method_options: dict[str, Any] = field(default_factory=dict)
    mixing: Mixing = "proportional"
    cap: int | None = None  # of examples counted when tasks are mixed in proportion
    temperature: float = 1.0  # of `temperature` mixing
    language_temperature: float | None = None  # None: a task's languages are one set
    masked: MaskedText = field(default_factory=MaskedText)
    effective_batch: int | None = None  # rows a step, in micro-batches of `batch_size`
    batch_tokens: int | None = None  # padded tokens a micro-batch, in place of its rows
    selecting: Selecting | None = None  # by English dev rows
    average: int | None = None  # of weights after so many steps
    average_share: float = 0.25  # of the steps, the last ones, that these are of
    robust: Robust = field(default_factory=Robust)
    restarts: int = 0  # with further seeds, where nothing is learnt
    quantize_aware: Rounding | None = None  # what a checkpoint is trained to be exported in
    sequential: Sequential | None = None  # what becomes of an adapter that is trained on

    @property
    def cuts(self) -> bool:
        """Whether a batch of the plan is a whole step, cut into micro-batches."""
        return self.effective_batch is not None or self.batch_tokens is not None

    @property
    def rows(self) -> int:
        """Rows of a batch of the plan."""
        whole = self.batch_size * self.settings.accumulate if self.cuts else self.batch_size
        return self.effective_batch or whole


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it."""

    fitted: Fitted
    facts: dict[str, float | int | str]


def train(
    directory: Path,
    tasks: Sequence[Task],
    source: DataSource,
    options: Options,
    *,
    work: Path,
    out: Path,
    progress: Progress = lambda fraction, text: None,
) -> Trained:
    """Train the checkpoint in `directory` and write the result to `out`.

    With `sequential` it is an adapter, and its base is held as it was for that.

    Raises:
        TransferError, EvalsuiteError: something a person can put right.
    """
    _check(tasks, options)
    tasks = [task.labelled(source) for task in tasks]

    def once(seed: int, place: Path) -> Trained:
        own = replace(options, settings=replace(options.settings, seed=seed))
        return _train(directory, tasks, source, own, place, out, progress)

    seed = options.settings.seed
    trained, failures = tried(once, options.restarts, seed, work)
    if options.restarts:
        trained.facts["seed"] = seed + len(failures)
        trained.facts["began again"] = "; ".join(failures) or "never"
    return trained


def _train(
    directory: Path,
    tasks: Sequence[Task],
    source: DataSource,
    options: Options,
    work: Path,
    out: Path,
    progress: Progress,
) -> Trained:
    """One try."""
    method = METHODS.get(options.method)
    before = Before.read(directory, options)
    if before is not None:
        directory = before.adapter.base
    longest = checkpoints.longest(directory, options.max_length)
    read = replace(options, max_length=longest)
    parts, steps, dev = load_parts(tasks, source, directory, read, progress)
    set_seed(options.settings.seed)  # new heads start from the seed
    single = tasks[0] if len(tasks) == 1 else None
    base, kept = checkpoints.load(directory, single, options.precision)
    if before is not None:
        kept = before.put_head(base, single) or kept
    checkpoints.hold_embeddings(base, options.embeddings)
    footprint = checkpoints.memory(base)
    format: Format | None = single.format if single else None
    model = method.prepare(base, format, options.precision, **options.method_options)
    if before is not None:
        before.apply(model)
    beside = tasks if len(tasks) > 1 else ()
    masked = options.masked.share > 0
    trained, facts = join(model, beside, directory, masked, method.GIVES != "checkpoint")
    trained.train()
    ends = steps if options.cuts else max(1, steps // options.settings.accumulate)
    selection = None
    if options.selecting:
        scored = Dev(dev, directory, trained)
        selection = Selection(scored, trained, options.selecting, ends, work)
    tail = None
    if options.average:
        tail = Tail(trained, options.average, options.average_share, ends, work)
    with quantize_aware(trained, options.quantize_aware):
        fitted = fit(
            trained,
            draw(parts, options.rows, steps, options.settings.seed),
            collated(parts, heads=len(tasks) > 1),
            objective(single, masked, options.pooling, options.robust),
            options.settings,
            work,
            progress,
            after=selection or tail or (lambda step: None),
            cut=cutter(parts, options.batch_size, options.batch_tokens) if options.cuts else None,
        )
    if options.restarts:
        refuse_collapse(fitted, selection)
    if processes.first():
        if chosen := selection or tail:
            facts |= chosen.finish()
        trained.eval()
        names = [task.name for task in tasks]
        write(method, model, trained, names, directory, options, out)
    facts = facts_of(fitted, trained, footprint) | facts
    facts |= checkpoints.length_facts(options.max_length, longest)
    if before is not None:
        facts["sequential"] = before.how
    if single:
        facts["head"] = "carried over" if kept else "new"
    return Trained(fitted, facts)


def _check(tasks: Sequence[Task], options: Options) -> None:
    """Raise where tasks and options do not go together."""
    for task in tasks:
        if not task.learnable:
            raise MethodError(f"{task.name} has no labels to train on; it is evaluated only")
        if task.format != "ranking":
            continue
        if len(tasks) > 1:
            raise MethodError(f"{task.name} has no head and cannot be one of several tasks")
        if options.cuts:
            raise MethodError(
                f"{task.name}: rows of a batch are each other's negatives, so it cannot be cut; "
                "leave effective_batch and batch_tokens out"
            )
    if not tasks and (options.masked.share < 1 or options.max_steps is None):
        raise MethodError("tasks: none; set mlm: 1.0 and max_steps to go on with masked LM alone")
    if tasks and options.masked.share >= 1:
        raise MethodError("mlm: 1.0 leaves no batch to the tasks; lower it, or set tasks: []")
