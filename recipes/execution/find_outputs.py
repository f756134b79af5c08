"""Find what a run left: its report, one of its models.

>>> find_model("demo:int8", workspace=None)
Path('.lingopress/stages/export-5feceb66ffc86f38d952')
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recipes.errors import RecipesError
from recipes.execution.cache import Cache
from recipes.execution.workspace import Workspace
from recipes.parsing.problems import suggest


def last_report(run_or_recipe: str, workspace: Path | None) -> Path:
    """The report of a recipe's last run, or of a run's folder.

    Raises:
        RecipesError: it was not run, or made no report.
    """
    import json

    record_file = Path(run_or_recipe) / "run.json"
    if record_file.is_file():
        record = json.loads(record_file.read_text("utf-8"))
    else:
        record = _run(run_or_recipe, workspace)
    found = record.get("report")
    if not found or not Path(found).exists():
        raise RecipesError(
            f"the last run of {run_or_recipe} has no report\ntype: lingopress run {run_or_recipe}"
        )
    _require_whole(Path(found).parent, f"the report of {run_or_recipe}", run_or_recipe, workspace)
    return Path(found)


def find_record(text: str, workspace: Path | None) -> Path:
    """The `report.json` of a run: the file itself, one in a folder, or a recipe's last.

    Raises:
        RecipesError: it was not run, or made no report.
    """
    path = Path(text).expanduser()
    if path.suffix == ".json" or path.is_file():
        return path
    if (path / "report.json").is_file():
        return path / "report.json"
    return last_report(text, workspace).with_name("report.json")


def find_model(text: str, workspace: Path | None) -> Path:
    """A model's directory, from a path or `recipe:stage`.

    Raises:
        RecipesError: there is no such directory, run or stage.
    """
    if Path(text).expanduser().is_dir():
        return Path(text).expanduser()
    recipe, colon, label = text.partition(":")
    if not colon:
        raise RecipesError(
            f"there is no directory {text}\nname a model directory, or RECIPE:STAGE of a run"
        )
    stages: dict[str, str] = _run(recipe, workspace).get("stages", {})
    if label not in stages:
        near = suggest(label, stages)
        raise RecipesError(
            f"the last run of {recipe} has no stage {label!r}{near}\nstages: {', '.join(stages)}"
        )
    if not Path(stages[label]).is_dir():
        raise RecipesError(
            f"the output of {text} is gone: {stages[label]}\ntype: lingopress run {recipe}"
        )
    _require_whole(Path(stages[label]), f"the output of {text}", recipe, workspace)
    return Path(stages[label])


def _require_whole(path: Path, what: str, recipe: str, workspace: Path | None) -> None:
    """Refuse an output of this workspace that was damaged."""
    space = Workspace(workspace)
    if path.parent == space.stages:
        remedy = f"to make it again, type: lingopress run {recipe}"
        Cache(space).require_whole(path, what, remedy)


def _run(recipe: str, workspace: Path | None) -> dict[str, Any]:
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
