"""What `lingopress ls WHAT` lists: components by their files, none of which is imported.

>>> entries("stages")[0].name
'alignment'

The sentence is the first line of a file's docstring, read with `ast`.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, NamedTuple

from evalsuite.catalog import Catalogue
from evalsuite.registry import METRICS, RUNTIMES, TASKS
from recipes.parsing.library import recipe_paths
from recipes.stages._shared.registry import STAGES
from transfer.registry import INTERMEDIATE_TASKS, METHODS

LISTS = ("recipes", "stages", "tasks", "methods", "passes", "runtimes", "metrics")
_CATALOGUES: dict[str, tuple[Catalogue[Any], ...]] = {
    "stages": (STAGES,),
    "tasks": (TASKS, INTERMEDIATE_TASKS),
    "methods": (METHODS,),
    "runtimes": (RUNTIMES,),
    "metrics": (METRICS,),
}


class Entry(NamedTuple):
    """A component's name and what it is for, in one line."""

    name: str
    about: str


def entries(what: str) -> list[Entry]:
    """One of `LISTS`, in name order."""
    if what == "recipes":
        return [Entry(name, _description(path)) for name, path in recipe_paths().items()]
    if what == "passes":
        files = STAGES.files()
        return [Entry(name, _first_line(files[name])) for name in passes()]
    found = {
        name: path for catalogue in _CATALOGUES[what] for name, path in catalogue.files().items()
    }
    return sorted(Entry(name, _first_line(path)) for name, path in found.items())


def passes() -> tuple[str, ...]:
    """Stages that make a model smaller or faster: those with `PASS = True` in their file."""
    return tuple(name for name, path in STAGES.files().items() if _is_pass(path))


def _is_pass(stage: Path) -> bool:
    return any(
        isinstance(node, ast.Assign) and ast.unparse(node) == "PASS = True"
        for node in ast.parse(stage.read_text("utf-8")).body
    )


def _first_line(path: Path) -> str:
    file = path / "__init__.py" if path.is_dir() else path
    doc = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return doc.split("\n", 1)[0]


def _description(path: Path) -> str:
    import yaml

    try:
        tree = yaml.load(path.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return "(not readable as YAML)"
    return str(tree.get("description", "")).strip() if isinstance(tree, dict) else ""
