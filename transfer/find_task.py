"""Target and intermediate tasks under one roof.

>>> find_task("mnli").labels == find_task("xnli").labels
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalsuite.errors import UnknownNameError
from evalsuite.registry import TASKS
from evalsuite.scoring import metric_of
from transfer.registry import INTERMEDIATE_TASKS

if TYPE_CHECKING:
    from evalsuite.task import Task

CATALOGUES = (TASKS, INTERMEDIATE_TASKS)


def find_task(name: str) -> Task:
    """A target task, or an intermediate one, by name.

    Raises:
        UnknownNameError: neither catalogue has it.
        MetricError: a metric that its file names does not fit it.
    """
    known: list[str] = []
    for catalogue in CATALOGUES:
        names = catalogue.names()
        if name in names:
            task = catalogue.get(name)
            metric_of(task)
            return task
        known.extend(names)
    raise UnknownNameError("task", name, known)
