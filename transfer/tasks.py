"""Target and intermediate tasks under one roof.

>>> find_task("mnli").labels == find_task("xnli").labels
True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from evalsuite.errors import UnknownNameError

if TYPE_CHECKING:
    from evalsuite.task import Task

_CATALOGUES = ("evalsuite.tasks", "transfer.intermediate")


def find_task(name: str) -> Task:
    """A target task, or an intermediate one, by name.

    Raises:
        UnknownNameError: neither catalogue has it.
    """
    known: list[str] = []
    for package in _CATALOGUES:
        module: Any = importlib.import_module(package)
        names = module.names()
        if name in names:
            task: Task = module.get(name)
            return task
        known.extend(names)
    raise UnknownNameError("task", name, known)
