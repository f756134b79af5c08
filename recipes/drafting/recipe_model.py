"""How a recipe names the model that a person gives: a folder, a hub name, or a stage of a run.

>>> recipe_model("mine:teacher", workspace=None)
'/home/me/.lingopress/stages/train-3f2a'
"""

from __future__ import annotations

from pathlib import Path

from recipes.execution.find_outputs import find_model
from recipes.parsing.references import named_model


def recipe_model(text: str, workspace: Path | None) -> str:
    """The model as a recipe names it; of `RECIPE:STAGE` the folder of its output.

    Raises:
        RecipesError: there is no such run or stage.
    """
    return str(find_model(text, workspace)) if is_of_run(text) else named_model(text)


def is_of_run(text: str) -> bool:
    """Whether a model is named as a stage of a run.

    >>> is_of_run("mine:teacher"), is_of_run("./mine:teacher"), is_of_run("package:a/b")
    (True, False, False)
    """
    return ":" in text and not named_model(text).startswith((".", "~", "/", "package:"))
