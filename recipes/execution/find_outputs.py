"""Find what a run left: its report, one of its models.

>>> find_model("demo:int8", workspace=None)
Path('.lingopress/stages/export-5feceb66ffc86f38d952')
"""

from __future__ import annotations

import os
from pathlib import Path

from evalsuite.home_path import home_path
from recipes.errors import RecipesError
from recipes.execution.cache import Cache
from recipes.execution.run_note import FILE, RunNote, read_note
from recipes.execution.workspace import Workspace
from recipes.parsing.problems import suggest


def last_report(run_or_recipe: str, workspace: Path | None) -> Path:
    """The report of a recipe's last run, or of a run's folder.

    Raises:
        RecipesError: it was not run, or made no report.
    """
    note, recipe = None, run_or_recipe
    if _folder(run_or_recipe):
        folder = home_path(run_or_recipe)
        note = read_note(folder / FILE, folder.name)
        runs = folder.resolve().parent
        space = Workspace(runs.parent)
        if note is not None and space.runs == runs and space.stages.is_dir():
            note = note.within(space.stages)  # else this folder alone was copied
    if note is None:
        note = last_run(run_or_recipe, workspace)
    else:
        recipe = note.recipe or recipe
    found = note.report
    if not found or not os.path.lexists(found):
        raise RecipesError(f"the last run of {recipe} has no report\ntype: lingopress run {recipe}")
    _require_whole(Path(found).parent, f"the report of {recipe}", recipe)
    return Path(found)


def find_record(text: str, workspace: Path | None) -> Path:
    """The `report.json` of a run: the file itself, one in a folder, or a recipe's last.

    Raises:
        RecipesError: it was not run, or made no report.
    """
    path = home_path(text)
    if path.suffix == ".json" or (os.path.lexists(path) and path.is_file()):
        return path
    if _folder(text) and (path / "report.json").is_file():
        return path / "report.json"
    return last_report(text, workspace).with_name("report.json")


def find_model(text: str, workspace: Path | None) -> Path:
    """A model's directory, from a path, `recipe:stage`, or `package:name/folder`.

    Raises:
        RecipesError: there is no such directory, run or stage.
        ModelError: there is no such package, or no model in it.
    """
    if _folder(text):
        return home_path(text)
    if text.startswith("package:"):
        from recipes.planning.external_models import External

        return External.find(text).path
    recipe, colon, label = text.partition(":")
    if not colon:
        raise RecipesError(
            f"there is no directory {text}\nname a model directory, or RECIPE:STAGE of a run"
        )
    stages = last_run(recipe, workspace).stages
    if label not in stages:
        near = suggest(label, stages)
        raise RecipesError(
            f"the last run of {recipe} has no stage {label!r}{near}\nstages: {', '.join(stages)}"
        )
    if not Path(stages[label]).is_dir():
        raise RecipesError(
            f"the output of {text} is gone: {stages[label]}\ntype: lingopress run {recipe}"
        )
    _require_whole(Path(stages[label]), f"the output of {text}", recipe)
    return Path(stages[label])


def _require_whole(path: Path, what: str, recipe: str) -> None:
    """Refuse an output of a workspace that was damaged."""
    space = Workspace(path.parent.parent)
    if path.parent == space.stages:
        remedy = f"to make it again, type: lingopress run {recipe}"
        Cache(space).require_whole(path, what, remedy)


def _folder(text: str) -> bool:
    """Whether a folder has this name; a name that is too long for one is no folder's."""
    path = home_path(text)
    return os.path.lexists(path) and path.is_dir()


def last_run(recipe: str, workspace: Path | None) -> RunNote:
    """The note of a recipe's last run.

    Raises:
        RecipesError: it was not run in this workspace.
    """
    space = Workspace(workspace)
    found = space.read_run(recipe)
    if found is None:
        from recipes.parsing.recipe_file import load

        found = space.read_run(load(recipe).recipe.name)
    if found is None:
        raise RecipesError(
            f"{recipe} was not run in the workspace {space.root}\ntype: lingopress run {recipe}"
        )
    return found
