"""Shipped recipes, and recipes by path.

>>> find_recipe("quickstart").name
'quickstart.yaml'
"""

from __future__ import annotations

from pathlib import Path

from evalsuite.home_path import home_path
from recipes.errors import RecipeError
from recipes.naming import is_file
from recipes.parsing.problems import suggest

LIBRARY = Path(__file__).parents[1] / "library"


def recipe_paths() -> dict[str, Path]:
    """Shipped recipes: `goal/name` -> file."""
    return {
        path.relative_to(LIBRARY).with_suffix("").as_posix(): path
        for path in sorted(LIBRARY.rglob("*.yaml"))
    }


def find_recipe(text: str) -> Path:
    """A recipe's file, from a path, a shipped name, or a shipped name's last part if unique.

    Raises:
        RecipeError: there is none; names the nearest shipped one.
    """
    if text.endswith((".yaml", ".yml")) or text.startswith((".", "/", "~")):
        path = home_path(text)
        if is_file(path):
            return path
        if not text.startswith((".", "/", "~")) and is_file(shipped := LIBRARY / text):
            return shipped
        raise RecipeError(f"there is no recipe file {text}\ntype: lingopress ls recipes")
    known = recipe_paths()
    if text in known:
        return known[text]
    short = [path for name, path in known.items() if name.rsplit("/", 1)[-1] == text]
    if len(short) == 1:
        return short[0]
    names = [*known, *(name.rsplit("/", 1)[-1] for name in known)]
    raise RecipeError(f"no recipe {text!r}{suggest(text, names)}\ntype: lingopress ls recipes")


def typed_name(path: Path) -> str:
    """What a person types for a recipe's file: its shipped name, or its path from here.

    >>> typed_name(LIBRARY / "compact" / "passes.yaml")
    'compact/passes'
    """
    if path.is_relative_to(LIBRARY):
        return path.relative_to(LIBRARY).with_suffix("").as_posix()
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
