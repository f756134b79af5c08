"""Look at files, and write the recipe for them: what `lingopress init` does.

>>> drafted = draft([Path("data/topics")], Wishes(output=Path("topics.yaml")))
>>> drafted.path, drafted.commands
(Path('topics.yaml'), ['lingopress check topics.yaml', 'lingopress run topics.yaml'])
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from evalsuite.errors import DataError, MalformedRowError, OfflineError
from evalsuite.guess.declare import Asked, Found, look_at
from evalsuite.guess.survey import Survey, survey
from evalsuite.home_path import home_path
from evalsuite.languages import is_among
from evalsuite.opening.hub import HubId
from evalsuite.own.declaration import Declaration
from evalsuite.own.own_task import OwnTask
from evalsuite.own.records import Column
from evalsuite.task import DataSource
from recipes.drafting.budget import Shape, read_budget, shape_of, student_for
from recipes.drafting.own_recipe import Plan, own_recipe
from recipes.drafting.recipe_model import recipe_model
from recipes.errors import RecipesError
from recipes.parsing.declared_tasks import TASK_NAME
from recipes.planning.external_models import External
from transfer.find_task import CATALOGUES

MODEL = "intfloat/multilingual-e5-small"
_FEW = 3000  # pieces per language; with 1,900 a quarter of the answers changed (docs/LOG.md)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person says; the rest is seen.

    Attributes:
        data_dir: where parallel text is.
        text: files of text in the languages that are to be kept.
        workspace: where a model is looked for that is named as RECIPE:STAGE.
    """

    model: str = MODEL
    budget: str | None = None
    output: Path | None = None
    force: bool = False
    name: str | None = None
    format: str | None = None
    columns: Mapping[str, Column | tuple[Column, ...]] = field(default_factory=dict)
    language: str | None = None
    train_on: tuple[str, ...] | None = None
    data_dir: Path | None = None
    text: tuple[str, ...] = ()
    workspace: Path | None = None


@dataclass(frozen=True, slots=True)
class Drafted:
    """A recipe that was written, and what was seen.

    Attributes:
        notes: what was decided on the way.
        commands: what to type next.
    """

    path: Path
    name: str
    found: Found
    seen: Survey
    notes: list[str]
    commands: list[str]


def draft(paths: Sequence[Path], wishes: Wishes) -> Drafted:
    """Write a recipe for these files, and nothing where it raises.

    Raises:
        DataError: the files do not decide, or have rows that a run refuses.
        RecipesError: the recipe exists, or an option does not fit.
    """
    name = _name(paths, wishes.name)
    path = wishes.output or Path(f"{name}.yaml")
    folder = path.with_name(f"{path.stem}-data")
    if path.exists() and not wishes.force:
        raise RecipesError(
            f"{path} exists; to write another file add --output FILE, to replace it --force"
        )
    there = {*folder.rglob("*"), *([folder] if folder.exists() else [])}
    try:
        return _draft(paths, wishes, name, path, folder)
    except (DataError, RecipesError):
        for new in sorted({folder, *folder.rglob("*")} - there, reverse=True):  # divided rows
            with suppress(OSError):
                new.rmdir() if new.is_dir() else new.unlink()
        raise


def _draft(paths: Sequence[Path], wishes: Wishes, name: str, path: Path, folder: Path) -> Drafted:
    budget = read_budget(wishes.budget) if wishes.budget else None
    if absent := [text for text in wishes.text if not home_path(text).is_file()]:
        raise RecipesError(f"--text: there is no file {absent[0]} (from {Path.cwd()})")
    model, shape, unsure = _model(recipe_model(wishes.model, wishes.workspace), budget is not None)
    asked = Asked(
        wishes.format, wishes.columns, wishes.language, wishes.train_on, folder, wishes.force
    )
    found = look_at(paths, asked)
    seen = _survey(name, found)
    if seen.errors:
        errors = sorted(map(found.origins.of, seen.errors), key=_place)
        raise DataError(
            "these rows have to be put right first, because a run refuses them:\n"
            + "\n".join(map(str, errors))
        )
    languages = {code for counts in seen.rows.values() for code in counts}
    corpus, notes = _corpus(languages, wishes.data_dir)
    student = student_for(shape, budget, bool(corpus or wishes.text))
    if student.pieces and student.pieces < _FEW * len(languages):
        notes.append(
            f"{student.pieces:,} pieces are few for {len(languages)} languages, and answers will "
            f"change; a larger --budget, or files of fewer languages, keeps more"
        )
    plan = Plan(
        name=name,
        file=str(path),
        declaration=found.declaration,
        seen=seen,
        model=model,
        shape=shape,
        student=student,
        budget=budget,
        data_dir=str(wishes.data_dir) if corpus else None,
        corpus=corpus,
        text=wishes.text,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(own_recipe(plan), encoding="utf-8")
    more = f" --data-dir {shlex.quote(str(wishes.data_dir))}" if corpus else ""
    file = shlex.quote(str(path))
    commands = [f"lingopress check {file}{more}", f"lingopress run {file}{more}"]
    if seen.labels and all(map(str.isdecimal, seen.labels)) and len(seen.labels) < 10:
        some = ", ".join(f"{label}: NAME" for label in seen.labels)
        notes.append(f"labels are numbers; to give them names add labels: {{{some}}} to the task")
    return Drafted(path, name, found, seen, [*found.notes, *unsure, *notes], commands)


def _place(error: DataError) -> tuple[str, int]:
    """File and line of a mistake; those without one come first."""
    if isinstance(error, MalformedRowError):
        return str(error.path), error.line
    return "", 0


def _name(paths: Sequence[Path], asked: str | None) -> str:
    """The task's name: asked for, else that of the folder or file."""
    taken = {name for catalogue in CATALOGUES for name in catalogue.names()}
    if asked is not None:
        if asked in taken or not TASK_NAME.fullmatch(asked):
            why = "is a task of lingopress" if asked in taken else "is not letters, digits, - and _"
            raise RecipesError(f"--name {asked}: {why}; choose another name")
        return asked
    first = paths[0].resolve()
    stem = first.name if first.is_dir() else first.name.split(".")[0]
    if len(paths) > 1 or stem.lower() in ("train", "data"):
        stem = first.parent.name
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_") or "task"
    return f"my-{name}" if name in taken else name


def _model(text: str, budget: bool) -> tuple[str, Shape, list[str]]:
    """The model as the recipe names it, its shape, and what to know of that.

    Raises:
        RecipesError: it is no checkpoint, or its size is not known and a budget asks for it.
    """
    external = External.find(text)
    if external.artifact.kind != "checkpoint":
        raise RecipesError(
            f"--model {text}: is {external.artifact.kind}, and a checkpoint is needed"
        )
    if external.repo is None:
        return text, shape_of(external.path), []
    if text == MODEL:  # its shape is known without the network
        return text, shape_of(None), []
    try:
        return text, shape_of(HubId(external.repo, external.revision).fetch_config()), []
    except OfflineError as error:
        if budget:
            raise RecipesError(f"--budget needs the size of {text}: {error}") from error
        note = (
            f"the config.json of {text} could not be read, so learning rate, layers and sizes are "
            f"those for {MODEL}; run init again with a connection, or change them"
        )
        return text, shape_of(None), [note]


def _survey(name: str, found: Found) -> Survey:
    try:
        declaration = Declaration.model_validate(found.declaration)
    except ValidationError as error:
        problems = (str(item["msg"]) for item in error.errors(include_url=False))
        said = "; ".join(problem.removeprefix("Value error, ") for problem in problems)
        raise DataError(f"{found.sheet.path}: {said}") from None
    try:
        return survey(OwnTask(name, declaration))
    except DataError as error:  # a row without a label, of files that name the labels
        raise found.origins.of(error) from None


def _corpus(languages: set[str], data_dir: Path | None) -> tuple[tuple[str, ...], list[str]]:
    """Languages with parallel text, English first, and what to know of the others."""
    if data_dir is None:
        return (), []
    from evalsuite.data import parallel

    there = {*parallel.languages(DataSource("xtreme", data_dir)), "en"}
    known = {code for code in there if is_among(code, languages)}
    if not known - {"en"}:
        raise RecipesError(
            f"--data-dir {data_dir}: its parallel text is in {' '.join(sorted(there))}, and "
            f"the task in {' '.join(sorted(languages))}; leave --data-dir out"
        )
    absent = sorted(code for code in languages if not is_among(code, there))
    notes = (
        [f"no text under --data-dir in {', '.join(absent)}; the student may lose more there"]
        if absent
        else []
    )
    return tuple(sorted(known, key=lambda code: (code != "en", code))), notes
