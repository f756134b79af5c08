"""What there is: derived from file names, read without importing.

>>> entries("stages")[0].name
'alignment'
>>> load_stage("fuse").VERSION
1

A component is a file; its one-line description is the first line of its docstring, taken with
`ast`, so that listing imports nothing.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from evalsuite import catalog
from recipes.errors import RecipeError
from recipes.problems import suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recipes.stage import Artifact, DataNeed, StageConfig, StageContext, Summary

LIBRARY = Path(__file__).parent / "library"
LISTS = ("recipes", "stages", "tasks", "methods", "passes", "runtimes")
_PACKAGES = {
    "stages": ("recipes.stages",),
    "tasks": ("evalsuite.tasks", "transfer.intermediate"),
    "methods": ("transfer.methods",),
    "passes": ("compress",),
    "runtimes": ("evalsuite.runtimes",),
}


class Entry(NamedTuple):
    """A component's name and what it is for, in one line."""

    name: str
    about: str


class StageModule(Protocol):
    """What `recipes/stages/<kind>.py` holds; see `recipes.stage`.

    `LABELS_MATTER`, `LINEAGE_MATTERS`, `ALONE` and `cost` are optional.
    """

    VERSION: int
    Config: type[StageConfig]

    def check(
        self, config: StageConfig, inputs: Mapping[str, tuple[Artifact, ...]]
    ) -> Artifact: ...
    def data(self, config: StageConfig, gives: Artifact) -> tuple[DataNeed, ...]: ...
    def run(self, config: StageConfig, ctx: StageContext) -> Summary: ...


def stage_kinds() -> tuple[str, ...]:
    """Names of the stage files, sorted."""
    return catalog.names("recipes.stages")


def load_stage(kind: str) -> StageModule:
    """Import one stage's module; `kind` must be one of `stage_kinds()`."""
    return cast(StageModule, importlib.import_module(f"recipes.stages.{kind}"))


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
        path = Path(text).expanduser()
        if path.is_file():
            return path
        if not text.startswith((".", "/", "~")) and (shipped := LIBRARY / text).is_file():
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


def entries(what: str) -> list[Entry]:
    """One of `LISTS`, in name order."""
    if what == "recipes":
        return [Entry(name, _description(path)) for name, path in recipe_paths().items()]
    found = {
        name: path for package in _PACKAGES[what] for name, path in catalog.files(package).items()
    }
    return sorted(
        Entry(name, _first_line(path)) for name, path in found.items() if name != "errors"
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
