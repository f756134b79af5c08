"""Components from elsewhere: files named with `--plugin`, and those of installed packages.

>>> load(Path("my_task.py"))      # holds `TASK`, as a file of `evalsuite/tasks` does
>>> TASKS.get("my_task").labels
('yes', 'no')

A package offers components as entry points: the group says what they are (`lingopress.tasks`,
`lingopress.stages`, `lingopress.runtimes`, ...), the name is the component's, and the value is a
module with the content of a component file. Nothing else is loaded: no code next to a model or
data.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

from evalsuite.errors import PluginError
from evalsuite.home_path import home_path

GROUP = "lingopress."
_PACKAGE = "lingopress_plugins"
_loaded: dict[Path, ModuleType] = {}


def load(path: Path) -> ModuleType:
    """Import a file of components, once.

    Raises:
        PluginError: there is no such file, or it cannot be imported.
    """
    path = home_path(path).absolute()
    if path in _loaded:
        return _loaded[path]
    if path.suffix != ".py" or not path.is_file():
        raise PluginError(f"--plugin: {path} is no Python file")
    name = path.stem
    if not name.isidentifier() or any(other.stem == name for other in _loaded):
        raise PluginError(f"--plugin: {path}: give the file another name; it names the component")
    full = f"{_PACKAGE}.{name}"
    sys.modules.setdefault(_PACKAGE, ModuleType(_PACKAGE))
    spec = importlib.util.spec_from_file_location(full, path)
    assert spec is not None and spec.loader is not None  # it ends in .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module  # what is pickled is found by this name
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[full]
        raise PluginError(f"--plugin: {path}: {type(error).__name__}: {error}") from error
    _loaded[path] = module
    return module


def loaded_with(marks: Sequence[str]) -> dict[str, Path]:
    """Name -> file of the loaded files that hold all of these names."""
    return {
        path.stem: path
        for path, module in _loaded.items()
        if marks and all(hasattr(module, mark) for mark in marks)
    }


def module_of(path: Path) -> ModuleType:
    """A loaded file."""
    return _loaded[path]


def paths() -> tuple[Path, ...]:
    """The loaded files, to be loaded in another process."""
    return tuple(_loaded)


class Carried:
    """The loaded files as the first of a child's arguments: reading it loads them there.

    The arguments after it may then hold objects of their classes.
    """

    def __reduce__(self) -> tuple[object, ...]:
        return _carry, (paths(),)


def _carry(files: Sequence[Path]) -> Carried:
    for file in files:
        load(file)
    return Carried()


def offered(group: str) -> dict[str, str]:
    """Name -> module of the components that installed packages offer."""
    return _offered(tuple(sys.path)).get(GROUP + group, {})


@cache
def _offered(path: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """All of them by group; looking for them takes some milliseconds."""
    every = importlib.metadata.entry_points()
    groups = [name for name in every.groups if name.startswith(GROUP)]
    return {name: {p.name: p.value for p in every.select(group=name)} for name in groups}


def imported(module: str) -> ModuleType:
    """A module that an installed package offers.

    Raises:
        PluginError: it cannot be imported.
    """
    try:
        return importlib.import_module(module)
    except Exception as error:
        raise PluginError(
            f"the plugin {module} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def source_of(module: str) -> Path | None:
    """The file of a module, whose packages are imported and itself not; None where there is none.

    Raises:
        PluginError: a package it is in cannot be imported.
    """
    try:
        spec = importlib.util.find_spec(module)
    except Exception as error:
        raise PluginError(f"the plugin {module} cannot be imported: {error}") from error
    return Path(spec.origin) if spec is not None and spec.origin else None
