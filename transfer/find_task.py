"""Target and intermediate tasks under one roof.

>>> find_task("mnli").labels == find_task("xnli").labels
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalsuite.errors import UnknownNameError
from evalsuite.registry import TASKS
from transfer.registry import INTERMEDIATE_TASKS

if TYPE_CHECKING:
    from evalsuite.task import Task

CATALOGUES = (TASKS, INTERMEDIATE_TASKS)


def find_task(name: str) -> Task:
    """A target task, or an intermediate one, by name.

    Raises:
        UnknownNameError: neither catalogue has it.
    """
    known: list[str] = []
    for catalogue in CATALOGUES:
        names = catalogue.names()
        if name in names:
            return catalogue.get(name)
        known.extend(names)
    raise UnknownNameError("task", name, known)
