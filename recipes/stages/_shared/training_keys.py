"""Keys of all stages that train, and checks of their inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from evalsuite.errors import MissingExtraError
from evalsuite.inference.task_head import head_of_task
from evalsuite.own.own_task import OwnTask
from evalsuite.task import Split, Task
from recipes.errors import StageInputError
from recipes.stages._shared.contract import (
    Artifact,
    DataNeed,
    StageConfig,
    StageContext,
    TaskName,
)
from recipes.stages._shared.heads import text_of, trained_suits
from transfer.find_task import find_task
from transfer.loop.tracking import Tracker, Tracking, is_installed
from transfer.loop.training_length import EPOCHS
from transfer.supervised.rules import untrainable

if TYPE_CHECKING:
    from compress.distill.options import Options
    from transfer.loop.fit import Settings
    from transfer.text.augment import Augmentation


_MULTILINGUAL = {"pair": "xnli", "tagging": "udpos", "span": "xquad", "choice": "xcopa"}


class TrainingConfig(StageConfig):
    """Optimization; the same keys in every stage that trains."""

    not_in_key: ClassVar[frozenset[str]] = frozenset({"save_every", "track"})

    learning_rate: float = Field(gt=0, description="Peak learning rate.")
    batch_size: int = Field(default=32, ge=1, description="Rows per batch.")
    warmup: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Share of the steps in which the learning rate rises linearly to its peak.",
    )
    weight_decay: float = Field(default=0.01, ge=0, description="AdamW weight decay.")
    compute: Literal["auto", "fp32", "bf16"] = Field(
        default="auto",
        description="Arithmetic of training; auto uses bf16 autocast where the GPU supports "
        "it or the processor is faster with it, else fp32.",
    )
    accumulate: int = Field(
        default=1, ge=1, description="Batches whose gradients are averaged for one optimizer step."
    )
    gradient_checkpointing: bool = Field(
        default=False,
        description="Recompute activations in the backward pass: less memory, more time.",
    )
    save_every: float = Field(
        default=30.0,
        gt=0,
        description="Seconds between snapshots from which an interrupted training resumes.",
    )
    track: Tracker | None = Field(
        default=None,
        description="Tracker that shows the training while it runs; it writes into the folder "
        "tracked of the workspace; default: none.",
    )

    def lacking(self) -> str:
        """The tracker, where its package is not installed."""
        if self.track is None or is_installed(self.track):
            return ""
        return f"track: {MissingExtraError(self.track, self.track)}; or remove the key track"


class TaskTrainingConfig(TrainingConfig):
    """Training rows of tasks: which tasks, how many rows, how long."""

    tasks: tuple[TaskName, ...] = Field(
        min_length=1,
        description="Tasks whose training rows are used; lingopress ls tasks lists them.",
    )
    learning_rate: float = Field(default=2e-4, gt=0, description="Peak learning rate.")
    epochs: float | None = Field(
        default=None,
        gt=0,
        description="Passes over the training rows; default: as max_steps says, and 3 where that "
        "is left out too.",
    )
    max_steps: int | None = Field(
        default=None,
        ge=1,
        description="Training length in batches, or in steps where effective_batch is set; with "
        "epochs the shorter of the two counts; default: as epochs says.",
    )
    max_length: int = Field(
        default=128,
        ge=8,
        description="Longest sequence in tokens; longer rows are cut, and it is lowered to what "
        "the model can read.",
    )
    max_examples: int | None = Field(
        default=None,
        ge=1,
        description="Training rows per task and language, at most: the first, or of declared tasks "
        "some of the whole file; default: all rows.",
    )
    freeze_embeddings: bool = Field(
        default=False,
        description="Keep the word embeddings as they are, which protects transfer to other "
        "languages.",
    )
    uncased: float = Field(
        default=0.0, ge=0, le=1, description="Share of training rows that are lowercased."
    )
    code_switch: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of training rows in which some words are replaced by translations.",
    )
    quantize_aware: Literal["int8", "int4-weights"] | None = Field(
        default=None,
        description="Train with weights and activations rounded as this export precision of ONNX "
        "Runtime rounds them; default: no rounding.",
    )


def cost(config: TaskTrainingConfig) -> str:
    """Rough amount of work, for `lingopress plan`."""
    if config.max_steps is None:
        return f"{EPOCHS if config.epochs is None else config.epochs:g} epochs"
    if config.epochs is None:
        return f"{config.max_steps} steps"
    return f"{config.epochs:g} epochs, at most {config.max_steps} steps"


def smaller_batch(config: TrainingConfig) -> dict[str, Any]:
    """Keys that have one row in memory at a time, as many rows per step and as many steps."""
    if getattr(config, "effective_batch", None) is not None:
        return {"batch_size": 1}
    fewer = {"batch_size": 1, "accumulate": config.accumulate * config.batch_size}
    most = getattr(config, "max_steps", None)  # in batches
    if most is not None and getattr(config, "batch_tokens", None) is None:
        fewer["max_steps"] = most * config.batch_size
    return fewer


def less_memory(config: TrainingConfig) -> Iterator[dict[str, Any]]:
    """Activations computed again, fewer rows at once, or both."""
    yield {"gradient_checkpointing": True}
    yield smaller_batch(config)
    yield {"gradient_checkpointing": True} | smaller_batch(config)


def settings(config: TrainingConfig, ctx: StageContext) -> Settings:
    """Settings of the optimizer, and the tracker, from a config."""
    from transfer.loop.fit import Settings

    return Settings(
        learning_rate=config.learning_rate,
        seed=ctx.seed,
        warmup=config.warmup,
        weight_decay=config.weight_decay,
        compute=config.compute,
        accumulate=config.accumulate,
        gradient_checkpointing=config.gradient_checkpointing,
        save_every=config.save_every,
        tracking=_tracking(config, ctx),
    )


def _tracking(config: TrainingConfig, ctx: StageContext) -> Tracking | None:
    if config.track is None:
        return None
    return Tracking(config.track, ctx.tracked, ctx.recipe, ctx.label, ctx.work)


def distillation(config: Any, ctx: StageContext, **others: Any) -> Options:
    """Options of a distillation: the keys that `distill` and `prune` share, and `others`."""
    from compress.distill.options import Options

    return Options(
        logits=config.logits,
        hidden=config.hidden,
        labels=config.labels,
        temperature=config.temperature,
        multilingual=config.multilingual,
        batch_size=config.batch_size,
        epochs=config.epochs,
        max_steps=config.max_steps,
        max_length=config.max_length,
        max_examples=config.max_examples,
        max_pairs=config.max_pairs,
        freeze_embeddings=config.freeze_embeddings,
        settings=settings(config, ctx),
        augmentation=augmentation(config),
        quantize_aware=config.quantize_aware,
        **others,
    )


def augmentation(config: TaskTrainingConfig) -> Augmentation:
    """Changes made to training rows, from a config."""
    from transfer.text.augment import Augmentation

    return Augmentation(uncased=config.uncased, code_switch=config.code_switch)


def tasks(names: tuple[str, ...]) -> list[Task]:
    """Tasks by their names."""
    return [find_task(name) for name in names]


def training_rows(name: str, languages: tuple[str, ...] | None = None) -> DataNeed:
    """The training rows of a task that a stage reads: in these languages, or in the task's own."""
    return DataNeed(name, "train", languages or find_task(name).training_languages)


def dev_rows(name: str, source: Literal["split", "train"] = "split") -> DataNeed:
    """The rows of a task that weights are chosen by, in the language its models are trained in."""
    split: Split = "dev" if source == "split" else "train"
    return DataNeed(name, split, (find_task(name).source_language,))


def refuse_shortened(artifact: Artifact, key: str, why: str) -> None:
    """Raise StageInputError if a bundle has no hidden states of its last layer."""
    if artifact.shortened:
        raise StageInputError(
            f"{key}: {why}, in which a bundle for pairs or choices computes some tokens alone; "
            "set last_layer: whole on its export stage, and leave keep_tokens out"
        )


def refuse_dropped_tokens(artifact: Artifact, key: str, layer: int | None) -> None:
    """Raise StageInputError if a bundle does not compute every token in the layer asked for.

    A layer counted from the last one, and the default, depend on the number of layers, which is
    known when the bundle is opened.
    """
    whole = artifact.whole_layer
    if whole is None or layer is None or layer <= whole:
        return
    layers = "0" if whole == 0 else f"a number from 0 to {whole}"
    raise StageInputError(
        f"{key}: a bundle exported with keep_tokens has all tokens up to layer {whole} only; set "
        f"layer: {layers}, or export without keep_tokens"
    )


def refuse_head_alone(artifact: Artifact, key: str) -> None:
    """Raise StageInputError if a bundle or a cascade has no hidden states at all."""
    if artifact.kind == "cascade":
        raise StageInputError(
            f"{key}: a cascade gives labels and no vectors of sentences; score it by tasks with "
            "labels, in an evaluate stage for itself"
        )
    headed = artifact.head is not None and artifact.head.format is not None
    if artifact.runtime == "executorch" and (headed or artifact.task is not None):
        raise StageInputError(
            f"{key}: a bundle for ExecuTorch with a head has no hidden states; name the checkpoint "
            "that it was exported from"
        )


def known_tasks(names: tuple[str, ...], *, labelled: bool = False) -> list[Task]:
    """Tasks by their names, for `check`.

    Raises:
        StageInputError: a task is unknown, its metric does not fit it, or `labelled` is set and it
            cannot be trained on.
    """
    from evalsuite.errors import MetricError, UnknownNameError

    try:
        found = tasks(names)
    except (UnknownNameError, MetricError) as error:
        raise StageInputError(str(error)) from None
    for task in found:
        if labelled and (problem := untrainable(task)):
            raise StageInputError(problem)
    return found


def same_labels(found: Sequence[Task], role: str, artifact: Artifact) -> None:
    """Raise StageInputError if a task has other labels than the model's head."""
    if artifact.task is None:
        return
    for task in found:
        if not trained_suits(artifact.task, task):
            raise StageInputError(
                f"tasks: {task.name} has other labels than the {role}'s {artifact.task}"
            )


_HINTS = {
    "adapter": "; put a fuse stage between",
    "prompt": "; a prompt cannot be merged into weights: evaluate takes it as it is, and where a "
    "checkpoint is needed, train with method: lora and fuse",
    "cascade": "; give one of its members: a cascade is evaluated, measured and used, nothing else",
}


def need(artifact: Artifact, role: str, *kinds: str) -> None:
    """Raise StageInputError unless an input is one of the kinds that a stage accepts."""
    if artifact.kind not in kinds:
        hint = _HINTS.get(artifact.kind, "")
        raise StageInputError(
            f"{role}: needs {_a(' or '.join(kinds))}, is given {_a(artifact.kind)}{hint}"
        )


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def probed(asked: str | None, artifact: Artifact) -> Task:
    """Task whose text a model's outputs are compared on.

    It is the one asked for, else the task the model was trained on, else what the head of a model
    from outside reads, else Tatoeba (an encoder). For a head trained on an English task it is a
    multilingual task of the same format (MNLI: XNLI).

    Raises:
        StageInputError: there is no such task, or the head cannot read its rows.
    """
    read = artifact.head.format if artifact.head is not None else None
    needed = None if read in (None, "pair") else _MULTILINGUAL.get(read)  # else sentences will do
    name = artifact.task or text_of(artifact) or needed or "tatoeba"
    (task,) = known_tasks((name,))
    if asked or (task.languages == ("en",) and not isinstance(task, OwnTask)):
        (task,) = known_tasks((asked or _MULTILINGUAL[task.format],))
    if read is not None and head_of_task(task) not in (read, None):
        raise StageInputError(
            f"probe_task: a head of the format {read} cannot read {task.name}, which is of the "
            f"format {task.format}"
        )
    if artifact.task and head_of_task(task) != head_of_task(find_task(artifact.task)):
        raise StageInputError(f"probe_task: a head trained on {artifact.task} cannot read {asked}")
    return task
