"""Components found by their file names: listing imports nothing, use imports one file.

>>> names("evalsuite.tasks")[:3]
('bucc2018', 'lareqa', 'mewslix')
>>> load("evalsuite.tasks", "xnli", "TASK", kind="task").title
'XNLI'

A file (or folder with `__init__.py`) whose name begins with `_` is no component.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from evalsuite.errors import UnknownNameError


def files(package: str) -> dict[str, Path]:
    """Name -> file or folder of a package's components, sorted by name; imports none of them."""
    folders = importlib.import_module(package).__path__
    found = {
        path.stem: path
        for folder in folders
        for path in Path(folder).iterdir()
        if not path.name.startswith(("_", "."))
        and (path.suffix == ".py" or (path / "__init__.py").is_file())
    }
    return dict(sorted(found.items()))


def names(package: str) -> tuple[str, ...]:
    """Names of a package's components, sorted."""
    return tuple(files(package))


def load(package: str, name: str, attribute: str, *, kind: str) -> Any:
    """The object `attribute` of the component `name`, imported now.

    Raises:
        UnknownNameError: the package has no such component; offers the nearest name.
    """
    known = names(package)
    if name not in known:
        raise UnknownNameError(kind, name, known)
    return getattr(importlib.import_module(f"{package}.{name}"), attribute)
