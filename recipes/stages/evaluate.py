"""Score models on tasks, per language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from evalsuite.inference.task_head import by_embedding
from recipes.errors import StageInputError
from recipes.naming import file_names
from recipes.stages._shared.adapter_task import AdapterTask, with_task
from recipes.stages._shared.contract import (
    Artifact,
    DataNeed,
    LanguageCode,
    ModelRefs,
    StageConfig,
    StageContext,
    Summary,
    TaskName,
)
from recipes.stages._shared.heads import refuse_other_head, refuse_other_task
from recipes.stages._shared.labelled_rows import (
    languages_of,
    refuse_unknown_languages,
    refuse_unlabelled,
)
from recipes.stages._shared.open_input import open_input
from recipes.stages._shared.planned_model import PlannedModel, running_memory
from recipes.stages._shared.training_keys import (
    known_tasks,
    need,
    refuse_dropped_tokens,
    refuse_head_alone,
    refuse_shortened,
    tasks,
)

if TYPE_CHECKING:
    from evalsuite.machine.memory import Memory
    from evalsuite.machine.work import Work
    from evalsuite.task import DataSource, Split, Task
    from recipes.stages._shared.planned_text import PlannedText

VERSION = 18
_TOKENIZERS = 1  # times that one is opened, for each model
LABELS_MATTER = True
_OF_EMBEDDINGS = ("layer", "pooling", "prefix", "passage_prefix", "dimensions")


class Config(StageConfig):
    """Every model is scored on every task its head fits; those by embedding fit any."""

    models: ModelRefs = Field(
        min_length=1,
        description="Models to score; predictions of the others are compared with those of the "
        "first.",
    )
    tasks: tuple[TaskName, ...] = Field(
        min_length=1, description="Tasks to score each model on; lingopress ls tasks lists them."
    )
    languages: tuple[LanguageCode, ...] | None = Field(
        default=None, description="Language codes to score; default: all languages of each task."
    )
    split: Literal["train", "dev", "test"] | None = Field(
        default=None,
        description="Split to score; default: the task's evaluation split, test or dev.",
    )
    layer: int | None = Field(
        default=None,
        description="Layer whose states are embeddings, 0 the word embeddings, negative from the "
        "last; default: the last where the model declares its sentence vectors, else two thirds "
        "up.",
    )
    pooling: Literal["mean", "cls"] | None = Field(
        default=None,
        description="How token vectors become one sentence vector: their mean, or the first "
        "token; default: as the model declares, else the mean.",
    )
    prefix: str | None = Field(
        default=None,
        description="Put before each text that is embedded, such as 'query: '; default: as the "
        "model declares.",
    )
    passage_prefix: str | None = Field(
        default=None,
        description="The same for candidates that are searched; default: prefix, or as the model "
        "declares.",
    )
    dimensions: int | None = Field(
        default=None,
        ge=1,
        description="Score the first numbers of each embedding only, this many; default: all.",
    )
    margin: bool = Field(
        default=False,
        description="Rank retrieval candidates by ratio margin instead of cosine similarity.",
    )
    max_examples: int | None = Field(
        default=None,
        ge=1,
        description="Rows per language: the first, or of declared tasks some of the whole file, "
        "drawn by a fixed seed; default: all rows.",
    )
    adapter_task: AdapterTask = None


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """Scores."""
    found = known_tasks(config.tasks)
    refuse_unknown_languages(
        config.languages, {task.name: languages_of(task, config.split) for task in found}
    )
    for task in found:
        key = "languages" if config.languages else "tasks"
        refuse_unlabelled(key, task, config.split, config.languages or ())
    if config.margin and not any(task.format == "retrieval" for task in found):
        raise StageInputError("margin: none of the tasks is one of retrieval (tatoeba)")
    for artifact in inputs["models"]:
        need(artifact, "models", "checkpoint", "bundle", "cascade", "adapter", "prompt")
        artifact = with_task(artifact, config.adapter_task)
        if any(task.by_embedding for task in found):
            refuse_head_alone(artifact, "models")
            refuse_dropped_tokens(artifact, "layer", config.layer)
            if config.layer == -1:
                refuse_shortened(artifact, "layer", "-1 is the last layer")
        if artifact.external:
            for task in found:
                head = artifact.head
                if head is None or head.format is not None or not by_embedding(task, head=False):
                    refuse_other_head(artifact, task, "models")
            continue
        for task in found:
            if not by_embedding(task, artifact.task is not None):
                refuse_other_task(artifact, task, "models")
    _refuse_unused(config, found, inputs["models"])
    return Artifact("scores")


def _refuse_unused(config: Config, found: Sequence[Task], models: Sequence[Artifact]) -> None:
    """Refuse keys of embeddings where heads answer every task.

    Raises:
        StageInputError: one is given.
    """
    given = [key for key in _OF_EMBEDDINGS if getattr(config, key) is not None]
    if not given:
        return
    for artifact in models:
        artifact = with_task(artifact, config.adapter_task)
        outside = artifact.head if artifact.external else None
        head = artifact.task is not None or (outside is not None and outside.format is not None)
        if any(by_embedding(task, head) for task in found):
            return
    raise StageInputError(
        f"{', '.join(given)}: these models embed nothing for {', '.join(config.tasks)}; leave it "
        "out, or add a task that is scored by embeddings, such as tatoeba"
    )


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """Test rows."""
    split = config.split or "eval"
    return tuple(DataNeed(task, split, config.languages, labelled=True) for task in config.tasks)


def memory(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> Memory:
    """What the largest model takes while it runs."""
    return running_memory(models["models"])


def work(
    config: Config,
    gives: Artifact,
    models: Mapping[str, tuple[PlannedModel, ...]],
    text: PlannedText,
) -> Work:
    """Each model on each task."""
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_model import speed
    from recipes.stages._shared.planned_work import opening, running_work

    done = Work()
    for model in models["models"]:
        done += opening(model, text, _TOKENIZERS)
        for name in config.tasks:
            split, languages = config.split or "eval", config.languages
            rows = text.task(model, name, split, languages, config.max_examples, scored=True)
            done += running_work(model, rows, times=speed(model))
    return done


def run(config: Config, ctx: StageContext) -> Summary:
    """Evaluate each model on each task: a JSON file each, and a folder of predictions per model."""
    from evalsuite.agreement.predictions import Reference
    from evalsuite.evaluate import evaluate
    from evalsuite.evaluation import EvaluationOptions

    summary: Summary = {}
    absent: Summary = {}
    first = ctx.inputs["models"][0].label
    names = file_names(model.label for model in ctx.inputs["models"])
    by_vectors: dict[str, bool] = {}  # task -> of the first model
    reference = Reference(first, ctx.out / "predictions" / names[first], by_vectors)
    jobs = [(model, task) for model in ctx.inputs["models"] for task in tasks(config.tasks)]
    opened = None
    for done, (model, task) in enumerate(jobs):
        if opened is None or opened[0] != model.label:
            opened = None  # let it go before the next one is opened
            opened = (model.label, open_input(model, config.adapter_task))
        said = ctx.out / "predictions" / names[model.label]
        result = evaluate(
            opened[1],
            task,
            ctx.data,
            label=model.label,
            out=said,
            options=EvaluationOptions(
                languages=config.languages,
                split=config.split,
                layer=config.layer,
                pooling=config.pooling,
                prefix=config.prefix,
                passage_prefix=config.passage_prefix,
                dimensions=config.dimensions,
                margin=config.margin,
                max_examples=config.max_examples,
                seed=ctx.seed,
                seen=_seen(task, ctx),
            ),
            against=None if model.label == first else reference,
            progress=lambda fraction, text, done=done: ctx.progress(  # type: ignore[misc]
                (done + fraction) / len(jobs), text
            ),
        )
        if model.label == first:
            by_vectors[task.name] = result.layer is not None
        path = ctx.out / f"{done:03d}.{names[model.label]}.{task.name}.json"
        path.write_text(result.model_dump_json(indent=1), encoding="utf-8")
        if result.absent_languages:
            absent[f"{task.name} without rows"] = " ".join(result.absent_languages)
        hidden = [] if config.languages else _without_labels(task, ctx.data, result.split)
        if hidden:
            absent[f"{task.name} without labels"] = " ".join(hidden)
        if result.unreached:
            summary[f"{model.label} {task.name}: answers no token reaches"] = ", ".join(
                f"{count} of {result.examples[code]} {code}"
                for code, count in result.unreached.items()
            )
        mean = result.zero_shot()
        if mean is not None:
            summary[f"{model.label} {task.name}"] = round(mean, 2)
    return absent | summary  # a running display shows the first few


def _without_labels(task: Task, source: DataSource, split: Split) -> list[str]:
    """Languages whose rows are not scored, since a declared file hides their labels."""
    labelled = task.available(source, split)
    return [code for code in task.readable(source, split) if code not in labelled]


def _seen(task: Task, ctx: StageContext) -> list[str]:
    """Languages that a model of this stage was trained in for the task.

    The zero-shot means of all its models are over the same others.
    """
    trained = [model.artifact.trained_on for model in ctx.inputs["models"]]
    return sorted({code for name, code in frozenset().union(*trained) if name == task.name})
