"""The benchmark's tasks: one file each, with a module-level `TASK`.

>>> names()[-3:]
('xcopa', 'xnli', 'xquad')
>>> get("xnli").labels
('entailment', 'neutral', 'contradiction')
"""

from __future__ import annotations

from evalsuite import catalog
from evalsuite.task import Task


def names() -> tuple[str, ...]:
    """Names of the tasks, from their files."""
    return catalog.names(__name__)


def get(name: str) -> Task:
    """The task of that name.

    Raises:
        UnknownNameError: there is none; offers the nearest.
    """
    task: Task = catalog.load(__name__, name, "TASK", kind="task")
    return task
