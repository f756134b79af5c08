"""Train a checkpoint on tasks with one head each, on masked text, or on parallel text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from evalsuite.inference.task_head import head_of_task
from evalsuite.task import Format
from recipes.errors import NotKnownAheadError, StageInputError
from recipes.stages._shared.contract import (
    HELD_OUT,
    AdapterFacts,
    Artifact,
    DataNeed,
    LanguageCode,
    ModelRef,
    StageContext,
    Summary,
    corpus_in,
)
from recipes.stages._shared.families import refuse_lacking, refuse_unknown
from recipes.stages._shared.method_keys import MethodKeys, method_gives, method_options
from recipes.stages._shared.planned_model import PlannedModel, training_memory
from recipes.stages._shared.sequential_keys import check_sequential
from recipes.stages._shared.train_options import (
    TrainOptionsConfig,
    check_train_options,
    processes,
    train_options,
)
from recipes.stages._shared.train_options import unused_keys as unused_keys
from recipes.stages._shared.training_keys import (
    augmentation,
    dev_rows,
    known_tasks,
    settings,
    smaller_batch,
    tasks,
    training_rows,
)
from recipes.stages._shared.training_keys import cost as cost
from recipes.stages._shared.vector_keys import belonging
from transfer.find_task import find_task
from transfer.registry import METHODS
from transfer.supervised import rules

if TYPE_CHECKING:
    from evalsuite.machine.memory import Memory
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_text import PlannedText

VERSION = 16
_TOKENIZERS = 2  # times that one is opened


class Config(MethodKeys, TrainOptionsConfig):
    """One task gives a model with its head; several tasks, or none, give an encoder."""

    renamed: ClassVar[Mapping[str, str]] = {
        "layers": "adapter_layers",
        "temperature": "mixing_temperature",
    }

    model: ModelRef = Field(
        description="Model to train: a checkpoint, or with sequential an adapter."
    )
    precision: Literal["fp32", "bf16", "int8", "nf4"] = Field(
        default="fp32",
        description="Precision of the base model's linear layers during training; int8 and nf4 "
        "need an adapter or prompt method.",
    )
    embeddings: Literal["fp32", "bf16", "int8", "int4"] = Field(
        default="fp32",
        description="Precision of the base model's word embeddings during training; int8 and "
        "int4 keep one scale per row.",
    )
    languages: tuple[LanguageCode, ...] | None = Field(
        default=None,
        description="Language codes of the training rows; default: English, and for a task that "
        "the recipe declares all languages it has training files in.",
    )


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """An adapter or a checkpoint, by the method."""
    (model,) = inputs["model"]
    check_sequential(config, model)
    found = known_tasks(config.tasks, labelled=True)
    check_train_options(config, found)
    only = found[0] if len(found) == 1 else None
    vectors = rules.trains_vectors(found, belonging(config))
    own: list[Format] = [head_of_task(task) or task.format for task in found]
    heads: list[Format] = ["ranking"] if vectors else own
    gives = method_gives(config, heads[0] if only else None, model.family)
    if gives == "checkpoint" and config.embeddings != "fp32":
        raise StageInputError(
            f"embeddings: {config.embeddings} is for adapters; method: {config.method} writes a "
            "whole checkpoint, whose embeddings are fp32"
        )
    if _searches_batch(config) and config.batch_size == 1:
        raise StageInputError(
            "batch_size: 1: each text is to find its partner among those of its batch, and of one "
            "there is nothing to find; set 2 or more"
        )
    if config.mlm > 0 and config.embeddings != "fp32":
        raise StageInputError(
            "mlm: the output layer is the word embeddings, which are held in "
            f"{config.embeddings}; set embeddings: fp32"
        )
    if gives != "checkpoint" and config.quantize_aware:
        raise StageInputError(
            f"quantize_aware: {'an' if gives == 'adapter' else 'a'} {gives} does not change its "
            "base; use method: full, or set it on the distill stage"
        )
    if config.method in ("lora", "last_k"):
        refuse_unknown(model, "model", "set method: full")
    refuse_lacking(model, heads, config.mlm > 0, config.gradient_checkpointing)
    headless = vectors and not (only and only.by_embedding)
    head = only.name if only and not headless else None
    if gives == "checkpoint":
        return Artifact(gives, task=head, family=model.family, tokenizer=model.tokenizer)
    before = model.adapter
    rank = config.rank * (2 if config.init.startswith("pissa") else 1)  # saved as a difference
    if config.sequential == "stack" and before is not None:
        rank += before.rank
    facts = AdapterFacts(
        base=before.base if before is not None else model,
        method=config.method,
        precision=config.precision,
        embeddings=config.embeddings,
        rank=rank,
        dora=config.dora,
    )
    return Artifact(gives, task=head, family=model.family, adapter=facts, tokenizer=model.tokenizer)


def _searches_batch(config: Config) -> bool:
    """Whether each text of a batch is to find its partner among the others."""
    found = [find_task(name) for name in config.tasks]
    return config.contrastive is not None or rules.trains_vectors(found, belonging(config))


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """Rows that are trained on or choose the weights; parallel text where that is used."""
    rows = [training_rows(task, config.languages) for task in config.tasks]
    if config.evaluate_every is not None:
        rows += [dev_rows(task, config.dev_rows) for task in config.tasks]
    if not (config.code_switch or config.contrastive in ("words", "sentences") or config.mlm):
        return tuple(dict.fromkeys(rows))
    return (*dict.fromkeys(rows), corpus_in(config.mlm_languages), HELD_OUT)


def planned(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> PlannedModel:
    """The model itself.

    Raises:
        MethodError: an option asks for more than the model has.
    """
    (model,) = models["model"]
    if (refuse := getattr(METHODS.get(config.method), "refuse_sizes", None)) is not None:
        refuse(model.config, **method_options(config))
    return model


def memory(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> Memory:
    """What training holds at its peak; without a GPU that of all its processes."""
    from evalsuite.machine.memory import has_gpu

    found = training_memory(
        config,
        models["model"][0],
        sides=2 if _searches_batch(config) else 1,
        method=config.method,
        precision=config.precision,
        embeddings=config.embeddings,
        options=method_options(config),
        graphs=2 if config.adversarial > 0 else 1,
    )
    return found.times(1 if has_gpu() else processes(config))


def work(
    config: Config,
    gives: Artifact,
    models: Mapping[str, tuple[PlannedModel, ...]],
    text: PlannedText,
) -> Work:
    """The steps on the rows of the tasks, and the adapter or the checkpoint that is written."""
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_work import (
        TrainedPart,
        opening,
        saving,
        tokenizer_bytes,
        training_work,
    )
    from transfer.memory.training import Training, reached, trained, updated

    if config.precision in ("int8", "nf4"):
        raise NotKnownAheadError(f"the speed of training on {config.precision} was not measured")
    if config.mlm or config.contrastive in ("words", "sentences"):
        raise NotKnownAheadError("text of the corpus is trained on")
    if config.adversarial > 0:
        raise NotKnownAheadError("the speed of adversarial training was not measured")
    (model,) = models["model"]
    rows = [
        text.task(
            model,
            name,
            "train",
            config.languages or find_task(name).training_languages,
            config.max_examples,
            config.max_length,
        )
        for name in config.tasks
    ]
    total = sum(part.total / part.per_row for part in rows)
    whole = method_gives(config, None) == "checkpoint"
    training = Training(
        config.method, frozen_words=config.freeze_embeddings, options=method_options(config)
    )
    count = trained(model.shape(), training)
    steps, updates = _batches(config, round(total))
    done = opening(model, text, _TOKENIZERS) + training_work(
        config,
        model,
        [(part, part.total / part.per_row / total) for part in rows],
        steps,
        TrainedPart(
            count,
            saved=model.shape().parameters if whole else count,
            backward="weights" if config.method in ("full", "last_k") else "inputs",
            updates=updated(model.shape(), training),
            layers=reached(model.shape(), training),
        ),
        updates=updates,
    )
    if whole:
        return done + saving(model)
    return done + Work(written=4 * count, output=4 * count + tokenizer_bytes(model))


def _batches(config: Config, rows: int) -> tuple[float, float]:
    """Batches of `batch_size` rows, and steps of the optimizer, as `Options.rows` says."""
    from transfer.loop.training_length import steps_for

    cuts = config.effective_batch is not None or config.batch_tokens is not None
    whole = config.batch_size * config.accumulate if cuts else config.batch_size
    whole = config.effective_batch or whole
    planned = steps_for(rows, whole, config.epochs, config.max_steps)
    if not cuts:
        return planned, planned / config.accumulate
    return planned * whole / config.batch_size, planned


def less_memory(config: Config) -> Iterator[dict[str, Any]]:
    """Activations computed again, fewer rows at once, an adapter on a quantized base; then all.

    Not fewer rows where the rows of a batch are searched: of one there is nothing to find.
    """
    again = {"gradient_checkpointing": True}
    fewer = again if _searches_batch(config) else smaller_batch(config) | again
    base = {"method": "lora", "precision": "nf4", "embeddings": "int8"}
    yield again
    if fewer != again:
        yield smaller_batch(config)
        yield fewer
    yield {"method": "lora"}
    yield base
    yield base | fewer


def run(config: Config, ctx: StageContext) -> Summary:
    """Train."""
    from transfer.loop.processes import Call, run_in_processes
    from transfer.supervised.options import Options
    from transfer.supervised.train_tasks import Trained, train_tasks

    options = Options(
        method=config.method,
        precision=config.precision,
        embeddings=config.embeddings,
        batch_size=config.batch_size,
        epochs=config.epochs,
        max_steps=config.max_steps,
        max_length=config.max_length,
        max_examples=config.max_examples,
        languages=config.languages,
        augmentation=augmentation(config),
        settings=settings(config, ctx),
        method_options=method_options(config),
        **train_options(config),
        quantize_aware=config.quantize_aware,
        sequential=config.sequential,
    )
    if config.contrastive in ("words", "sentences"):
        from transfer.contrastive import align

        aligned = align(
            ctx.input("model").path,
            ctx.data,
            config.contrastive,
            options,
            max_pairs=config.max_pairs,
            work=ctx.work,
            out=ctx.out,
            progress=ctx.progress,
        )
        return aligned.summary
    what = (ctx.input("model").path, tasks(config.tasks), ctx.data, options)
    count = processes(config)
    if count == 1:
        return train_tasks(*what, work=ctx.work, out=ctx.out, progress=ctx.progress).summary
    trained: Trained = run_in_processes(
        count, Call(train_tasks, what, {"work": ctx.work, "out": ctx.out}), ctx.progress
    )
    return {**trained.summary, "processes": count}
