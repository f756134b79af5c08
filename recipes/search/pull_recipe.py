"""Copy the stages of a recipe from a shared cache; of a search, those of every trial there can be.

>>> pull_recipe("compact/search-budget", (), None, None, "s3://bucket/lingopress").stages
61
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recipes.execution.copy_stages import Copied, pull_stages
from recipes.execution.workspace import Workspace
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan
from recipes.search.feasible import find_feasible


def pull_recipe(
    recipe: str,
    overrides: Sequence[str],
    data_dir: Path | None,
    workspace: Path | None,
    address: str,
) -> Copied:
    """Copy every stage of a recipe that a shared cache has and the workspace has not.

    The report of a search is of the trials that were made, which nothing here knows; it is left
    out. Of very many assignments, those count that `find_feasible` looks at.

    Raises:
        RecipeError: the recipe is wrong.
        SharedCacheError: the shared cache cannot be used.
    """
    space, loaded = Workspace(workspace), load(recipe, overrides)
    memo = DigestMemo(space.digests)
    if loaded.recipe.search is None:
        return pull_stages(make_plan(loaded, data_dir, memo).stages, space, address)
    assignments = [assignment for assignment, _ in find_feasible(loaded).plans]
    plan = make_plan(loaded, data_dir, memo, assignments=assignments)
    return pull_stages([one for one in plan.stages if one.kind != "report"], space, address)
