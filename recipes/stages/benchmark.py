"""Measure size, load time, latency, throughput, energy and memory of models, on real text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, PositiveInt

from evalsuite.bench.grid import BATCH_SIZES, LENGTHS
from recipes.stages._shared.contract import (
    Artifact,
    DataNeed,
    ModelRefs,
    StageConfig,
    StageContext,
    StageInputError,
    Summary,
    TaskName,
)
from recipes.stages._shared.planned_model import PlannedModel, running_memory
from recipes.stages._shared.training_keys import known_tasks, need
from transfer.find_task import find_task

if TYPE_CHECKING:
    from evalsuite.machine.memory import Memory
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_text import PlannedText

VERSION = 16
_TOKENIZERS = 4  # times that one is opened, for each model
_PASSES = 2  # over the text, besides those that are counted: warm-up, and language by language
_SINGLES = 208  # sentences that are timed one by one, with the warm-up
_REPEATS = 3  # runs of a cell of the grid, the first one included
_OTHER = 4.0  # seconds per model: two new processes, and the machine's matrix products
LABELS_MATTER = True
ALONE = True


class Config(StageConfig):
    """Which models, on which text, with how many threads."""

    renamed: ClassVar[Mapping[str, str]] = {"sentences": "sentence_count"}

    models: ModelRefs = Field(min_length=1, description="Checkpoints and bundles to measure.")
    task: TaskName = Field(default="xnli", description="Task whose evaluation text is processed.")
    sentence_count: int = Field(
        default=512, ge=8, description="Number of sentences over all languages together."
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        description="Threads per model; default: every core this process may use.",
    )
    memory_limit: float | None = Field(
        default=None,
        gt=0,
        description="Memory in MB that a model has to fit in, runtime libraries not counted; the "
        "report says of each model that does not.",
    )
    passes: int = Field(
        default=3, ge=1, description="Passes over the sentences; the report shows the median."
    )
    batch_sizes: tuple[PositiveInt, ...] = Field(
        default=BATCH_SIZES,
        description="Batch sizes of the grid of fixed shapes; an empty list skips the grid.",
    )
    lengths: tuple[PositiveInt, ...] = Field(
        default=LENGTHS, description="Sequence lengths of the grid of fixed shapes, in tokens."
    )


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """Speed figures."""
    (task,) = known_tasks((config.task,))
    for artifact in inputs["models"]:
        need(artifact, "models", "checkpoint", "bundle", "cascade")
        if artifact.kind == "cascade" and task.format != "pair":
            raise StageInputError(
                f"task: {task.name} is of the format {task.format}; a cascade reads rows with one "
                "label each, of one text or two"
            )
    return Artifact("speed")


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """The text."""
    return (DataNeed(config.task, "eval"),)


def memory(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> Memory:
    """What the largest model takes in the process that measures it, and the command's process."""
    from evalsuite.machine.memory import Memory
    from transfer.memory.training import PROCESS

    return running_memory(models["models"]).and_also(Memory({"other": PROCESS}))


def work(
    config: Config,
    gives: Artifact,
    models: Mapping[str, tuple[PlannedModel, ...]],
    text: PlannedText,
) -> Work:
    """The passes over the text, sentence by sentence and in batches, and the grid."""
    from evalsuite.bench import grid
    from evalsuite.bench.worker import LOADS
    from evalsuite.find_family import longest_of
    from evalsuite.machine.work import Batches, Work
    from recipes.stages._shared.planned_model import speed
    from recipes.stages._shared.planned_work import opening, running_work

    done = Work()
    for model in models["models"]:
        rows = text.task(model, config.task, "eval")
        times = speed(model)
        share = config.sentence_count / max(config.sentence_count, rows.total)
        one_pass = running_work(model, rows, times=times, threads=config.threads).times(share)
        done += replace(one_pass, text=0.0).times(config.passes + _PASSES)
        _, length, _ = rows.evaluation()
        singles = min(config.sentence_count, _SINGLES)
        single = Batches(
            model.shape(), 1, length, singles,
            times=times, on_cpu=model.on_cpu, threads=config.threads,
        )  # fmt: skip
        cells = grid.shapes(config.batch_sizes, config.lengths, longest_of(model.config))
        tokens = sum(size * length for size, length in cells)
        cell = replace(single, rows=8, length=64, count=_REPEATS * tokens / 512)
        done += Work((single, cell))
        done += opening(model, text, _TOKENIZERS) + Work(
            text=rows.seconds * share, read=LOADS * 4 * model.shape().parameters, other=_OTHER
        )
    return done


def _digest(rows: Mapping[str, Sequence[object]]) -> str:
    """The first digits of a digest of the rows, so that a text with other rows has another name."""
    found = repr([(language, [*own]) for language, own in sorted(rows.items())])
    return hashlib.sha256(found.encode()).hexdigest()[:8]


def run(config: Config, ctx: StageContext) -> Summary:
    """Measure each model in a separate process."""
    from evalsuite import tokenization
    from evalsuite.bench.measure import Subject, measure
    from evalsuite.inference.checkpoint_config import max_length_of, model_config
    from evalsuite.inference.probe_text import sample_rows
    from evalsuite.machine import environment
    from evalsuite.registry import FORMATS
    from evalsuite.report.figures.costs import sentences_per_second

    task = find_task(config.task)
    split = task.eval_split(ctx.data)
    languages = task.readable(ctx.data, split)
    each = max(1, config.sentence_count // max(1, len(languages)))
    threads = config.threads or environment.cores()
    limit = None if config.memory_limit is None else round(config.memory_limit * 1e6)
    summary: Summary = {"threads": threads}
    subjects = []
    chosen = sample_rows(task, ctx.data, each)
    counts = {code: len(rows) for code, rows in chosen.items()}
    sentences = f"{sum(counts.values())} sentences, rows {_digest(chosen)}"
    text = f"{task.name} {split}, {len(languages)} languages, {sentences}"
    encode = FORMATS.get(task.format).encode
    for model in ctx.inputs["models"]:
        longest, tokenizer = max_length_of(model_config(model.path)), tokenization.load(model.path)
        encoded = {code: encode(tokenizer, rows, longest) for code, rows in chosen.items()}
        ids = {code: [item.ids for item in own] for code, own in encoded.items()}
        subjects.append(Subject(model.path, ids, model.label, text, limit, counts))
    ctx.progress(0.1, f"measuring {len(subjects)} models")
    results = measure(
        subjects,
        source=task.kind_of_source(ctx.data),
        threads=threads,
        passes=config.passes,
        batch_sizes=config.batch_sizes,
        lengths=config.lengths,
    )
    for done, (subject, result) in enumerate(zip(subjects, results, strict=True)):
        (ctx.out / f"{done:02d}.json").write_text(result.model_dump_json(), encoding="utf-8")
        summary[f"{subject.label} sentences/s"] = round(sentences_per_second(result) or 0.0, 1)
        if over := result.does_not_fit():
            summary[f"{subject.label} memory"] = f"{result.memory() / 1e6:.1f} MB, {over}"
    return summary
