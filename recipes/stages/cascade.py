"""Make one bundle of two or three models: the fast one answers what it is sure of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from evalsuite.cascade.rule import MOST
from evalsuite.home_path import home_path
from evalsuite.languages import wrong_code
from evalsuite.task import Task
from recipes.errors import NotKnownAheadError, StageInputError
from recipes.stages._shared.contract import (
    Artifact,
    DataNeed,
    Input,
    LanguageCode,
    ModelRefs,
    StageConfig,
    StageContext,
    Summary,
    TaskName,
)
from recipes.stages._shared.heads import refuse_other_head, refuse_other_task
from recipes.stages._shared.labelled_rows import languages_of, refuse_unlabelled
from recipes.stages._shared.lineage import made_from
from recipes.stages._shared.training_keys import dev_rows, known_tasks, need
from recipes.stages._shared.unused_keys import unused
from transfer.find_task import find_task

if TYPE_CHECKING:
    from compress.cascade.members import Source
    from evalsuite.machine.memory import Memory
    from evalsuite.machine.work import Work
    from evalsuite.task import PairExample
    from recipes.stages._shared.planned_model import PlannedModel
    from recipes.stages._shared.planned_text import PlannedText

VERSION = 3
PASS = True
LABELS_MATTER = True  # members have the names of their stages
_LOST = 0.5


class Config(StageConfig):
    """Which models, what they are fitted on, and what may be lost."""

    models: ModelRefs = Field(
        min_length=1,
        description="Two or three models with the same labels, the fastest first.",
    )
    task: TaskName = Field(
        description="Task whose dev rows in its source language temperatures and thresholds are "
        "fitted on."
    )
    max_lost: float | None = Field(
        default=None,
        ge=0,
        description="Points of the score on dev rows that may be lost, compared with the last "
        "model; default: 0.5, or no limit where budget is set.",
    )
    budget: float | None = Field(
        default=None,
        gt=0,
        lt=100,
        description="Percent of the rows that a model reads that may go on to the next model, in "
        "place of max_lost.",
    )
    dev_examples: int | None = Field(
        default=None, ge=1, description="Dev rows, at most; default: all."
    )
    language_text: dict[LanguageCode, str] = Field(
        default={},
        description="Language to a file of rows without labels, a row per line, a tab between two "
        "texts: thresholds of this language are fitted on it.",
    )
    max_lines: int = Field(default=2_000, ge=1, description="Lines per file of text, at most.")
    max_drop: float | None = Field(
        default=None,
        ge=0,
        description="Largest loss of zero-shot score on the task's evaluation rows, compared with "
        "the last model, in points; default: not measured.",
    )
    score_rows: int = Field(
        default=200,
        ge=1,
        description="Evaluation rows per language that are scored for max_drop.",
    )


def check(config: Config, inputs: Mapping[str, Sequence[Artifact]]) -> Artifact:
    """A cascade with the labels of its models."""
    if config.max_lost is not None and config.budget is not None:
        raise StageInputError("max_lost, budget: both say which rows go on; give one of them")
    if len(inputs["models"]) > len(config.models):
        raise StageInputError(
            "models: a name has several variants, and each would be a member; name one, as in "
            "fast[n=1], or mention ${n} in the stage, so that it is made for each n"
        )
    if not 2 <= (count := len(inputs["models"])) <= MOST:
        raise StageInputError(f"models: a cascade has two or three models, not {count}")
    (task,) = known_tasks((config.task,))
    if task.format != "pair":
        raise StageInputError(
            f"task: {task.name} is of the format {task.format}; a cascade gives one label per row, "
            "for one text or two"
        )
    if wrong := _wrong_codes(config.language_text, task):
        raise StageInputError(f"language_text: {wrong}")
    if config.max_drop is not None:
        refuse_unlabelled("max_drop", task)
    for artifact in inputs["models"]:
        need(artifact, "models", "checkpoint", "bundle")
        refuse = refuse_other_head if artifact.external else refuse_other_task
        refuse(artifact, task, "models")
    return Artifact("cascade", task=task.name, runtime="cascade")


def unused_keys(config: Config) -> list[str]:
    """Keys of text and of a gate that are not there."""
    because, remedy = "no text of languages is read", "set language_text"
    problems = unused(config, ("max_lines",), because, remedy, off=not config.language_text)
    because, remedy = "without max_drop nothing is scored", "set max_drop"
    off = config.max_drop is None
    return problems + unused(config, ("score_rows",), because, remedy, off=off)


def _wrong_codes(codes: Iterable[str], task: Task) -> str:
    """What is wrong with codes of languages, a line each; those of the task's files are right."""
    wrong = {code: wrong_code(code) for code in codes if code not in languages_of(task)}
    return "\n".join(filter(None, wrong.values()))


def data(config: Config, gives: Artifact) -> tuple[DataNeed, ...]:
    """Dev rows, text of languages, and evaluation rows where they are scored."""
    needs: tuple[DataNeed, ...] = (dev_rows(config.task),)
    needs += tuple(DataNeed(path, "file") for path in config.language_text.values())
    if config.max_drop is not None:
        needs += (DataNeed(config.task, "eval"),)
    return needs


def planned(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> None:
    """Not known ahead: how many rows go on."""


def memory(config: Config, models: Mapping[str, tuple[PlannedModel, ...]]) -> Memory:
    """All members while the cascade is opened."""
    from functools import reduce

    from evalsuite.machine.memory import Memory
    from recipes.stages._shared.planned_model import running_memory

    each = (running_memory((model,)) for model in models["models"])
    return reduce(Memory.and_also, each)


def work(
    config: Config,
    gives: Artifact,
    models: Mapping[str, tuple[PlannedModel, ...]],
    text: PlannedText,
) -> Work:
    """Each model on the dev rows, and a copy of it."""
    from evalsuite.machine.work import Work
    from recipes.stages._shared.planned_model import bundle_bytes, speed
    from recipes.stages._shared.planned_work import (
        opening,
        running_work,
        tokenizer_bytes,
        weights,
    )

    if config.language_text:
        raise NotKnownAheadError("the text of its languages is in files")
    if config.max_drop is not None:
        raise NotKnownAheadError("how many rows go on to the next model is known when it is made")
    done = Work()
    languages = (find_task(config.task).source_language,)
    for model in models["models"]:
        rows = text.task(model, config.task, "dev", languages, config.dev_examples)
        stored = weights(model) if model.bundle is None else bundle_bytes(model)
        copied = stored + tokenizer_bytes(model)
        done += opening(model, text) + running_work(model, rows, times=speed(model))
        done += Work(read=copied, written=copied, output=copied)
    return done


def cost(config: Config) -> str:
    """Rough amount of work, for `lingopress plan`."""
    return "minutes"


def run(config: Config, ctx: StageContext) -> Summary:
    """Fit and write it."""
    from compress import gate
    from compress.cascade.make import Wanted, make
    from transfer.supervised.dev_scores import english

    task = find_task(config.task).labelled(ctx.data)
    most = config.dev_examples or 10**9
    dev = english(task, ctx.data, most, remedy="name a task that has them, or set another source")
    lost = _LOST if config.max_lost is None else config.max_lost
    wanted = Wanted(lost, config.budget, _text(config, task))
    sources = _sources(ctx.inputs["models"])
    facts = make(
        sources, dev, ctx.out, wanted, made_from=made_from(ctx.lineage), progress=ctx.progress
    )
    if config.max_drop is None:
        return facts
    ctx.progress(0.9, f"scoring on {task.name}")
    loss = gate.lost(sources[-1].path, ctx.out, task, ctx.data, config.score_rows)
    remedy = "lower max_lost or budget, give text of these languages, or allow more to be lost"
    gate.hold_score(loss, config.max_drop, "cascade", remedy, key="max_drop")
    return facts | loss.facts()


def _sources(inputs: Sequence[Input]) -> list[Source]:
    """The models under the names of their stages, or the last part of where they are."""
    from compress.cascade.members import Source

    names: list[str] = []
    for item in inputs:
        outside = item.label.startswith((".", "~", "/"))  # no path of this machine is published
        name = item.path.name if outside else item.label
        names.append(name if name not in names else f"{name} {len(names) + 1}")
    return [Source(name, item.path) for name, item in zip(names, inputs, strict=True)]


def _text(config: Config, task: Task) -> dict[str, list[PairExample]]:
    """Rows without labels, by language."""
    from evalsuite.inference.task_head import reads_two_texts

    two = reads_two_texts(task)
    return {
        code: _rows(home_path(path), config.max_lines, two=two)
        for code, path in config.language_text.items()
    }


def _rows(path: Path, most: int, *, two: bool) -> list[PairExample]:
    """The first lines with text.

    Raises:
        DataError: there is none.
        MalformedRowError: a line has one text where the task has two, or two where it has one.
    """
    from evalsuite.data.parallel import segments
    from evalsuite.errors import DataError, MalformedRowError
    from evalsuite.task import PairExample

    found: list[PairExample] = []
    for number, line in enumerate(segments(path), 1):
        if len(found) == most:
            break
        if not line.strip():
            continue
        texts = line.rstrip("\r\n").split("\t")
        if len(texts) != 1 + two:
            needs = "two texts with a tab between them" if two else "one text, without tabs"
            raise MalformedRowError(path, number, f"{len(texts)} text(s); the task reads {needs}")
        found.append(PairExample("", texts[0], texts[1] if two else None, None))
    if not found:
        raise DataError(f"{path} has no line of text")
    return found
