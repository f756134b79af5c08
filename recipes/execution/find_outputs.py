"""Find what a run left: its report, one of its models.

>>> find_model("demo:int8", workspace=None)
Path('.lingopress/stages/export-5feceb66ffc86f38d952')
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from evalsuite.home_path import home_path
from recipes.errors import RecipeError, RecipesError
from recipes.execution.cache import Cache
from recipes.execution.run_note import FILE, RunNote, read_note
from recipes.execution.workspace import Workspace
from recipes.naming import is_file
from recipes.parsing.library import find_recipe
from recipes.parsing.problems import suggest


def last_report(run_or_recipe: str, workspace: Path | None) -> Path:
    """The report of a recipe's last run, or of a run's folder.

    Raises:
        RecipesError: it was not run, or made no report.
    """
    note = None
    if _folder(run_or_recipe):
        folder = home_path(run_or_recipe)
        note = read_note(folder / FILE, folder.name)
        runs = folder.resolve().parent
        space = Workspace(runs.parent)
        if note is not None and space.runs == runs and space.stages.is_dir():
            note = note.within(space.stages)  # else this folder alone was copied
    if note is None:
        note = last_run(run_or_recipe, workspace)
    recipe, found = note.recipe or run_or_recipe, note.report
    if not found or not os.path.lexists(found):
        raise RecipesError(f"the last run of {recipe} has no report\n{note.run_again(recipe)}")
    _require_whole(Path(found).parent, f"the report of {recipe}", note.run_again(recipe))
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
    note = last_run(recipe, workspace)
    stages, again = note.stages, note.run_again(recipe)
    if label not in stages:
        near = suggest(label, stages)
        raise RecipesError(
            f"the last run of {recipe} has no stage {label!r}{near}\nstages: {', '.join(stages)}"
        )
    if not Path(stages[label]).is_dir():
        raise RecipesError(f"the output of {text} is gone: {stages[label]}\n{again}")
    _require_whole(Path(stages[label]), f"the output of {text}", again)
    return Path(stages[label])


def _require_whole(path: Path, what: str, again: str) -> None:
    """Refuse an output of a workspace that was damaged."""
    space = Workspace(path.parent.parent)
    if path.parent == space.stages:
        Cache(space).require_whole(path, what, f"to make it again, {again}")


def _folder(text: str) -> bool:
    """Whether a folder has this name; a name that is too long for one is no folder's."""
    path = home_path(text)
    return os.path.lexists(path) and path.is_dir()


def last_run(recipe: str, workspace: Path | None) -> RunNote:
    """The note of a recipe's last run.

    Raises:
        RecipesError: it has no finished run in this workspace.
    """
    space = Workspace(workspace)
    found = space.read_run(recipe)
    if found is not None:
        return found
    from recipes.parsing.recipe_file import load

    said = f"the workspace {space.root} has no finished run of {recipe}"
    try:
        find_recipe(recipe)
    except RecipeError:
        if recipe.endswith((".yaml", ".yml")):
            raise
        runs = space.run_names()
        listed = f"finished runs: {', '.join(runs)}" if runs else "it has no finished run at all"
        raise RecipesError(
            f"{said}{suggest(recipe, runs)}\n{listed}\n"
            "a run that stopped goes on where it was: run its recipe again"
        ) from None
    loaded = load(recipe)
    found = space.read_run(loaded.recipe.name)
    if found is None:
        raise RecipesError(f"{said}\ntype: lingopress run {shlex.quote(recipe)}")
    if is_file(Path(found.file)) and loaded.path.read_bytes() != Path(found.file).read_bytes():
        raise RecipesError(
            f"the last run of {loaded.recipe.name} was of another file: {found.file}\n"
            f"type: lingopress run {shlex.quote(recipe)}\n"
            "to keep both, give the recipes different names (name: at the top)"
        )
    return found
