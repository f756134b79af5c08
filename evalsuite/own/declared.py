"""The tasks that the recipe of this process declares.

>>> declare({"topics": task_of("topics", Declaration(format="classification", ...))})
>>> TASKS.get("topics").labels
('sports', 'travel')

A task is looked up by its name in the processes that make stages too, so these are given what
`declared` returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from evalsuite.registry import TASKS

if TYPE_CHECKING:
    from evalsuite.own.declaration import Declaration
    from evalsuite.own.own_task import OwnTask

_current: dict[str, OwnTask] = {}


def task_of(name: str, declaration: Declaration) -> OwnTask:
    """The task that a recipe declares.

    Raises:
        DataError: a file is absent, cannot be read, or does not fit the declaration.
    """
    from evalsuite.own.own_hub import OwnHub
    from evalsuite.own.own_retrieval import OwnRetrieval
    from evalsuite.own.own_task import OwnTask

    if declaration.hub is not None:
        return OwnHub(name, declaration)
    kind = OwnRetrieval if declaration.format == "retrieval" else OwnTask
    return kind(name, declaration)


def declare(tasks: Mapping[str, OwnTask]) -> None:
    """Make these the declared tasks, in place of those before."""
    for name in _current:
        TASKS.added.pop(name, None)
    _current.clear()
    _current.update(tasks)
    TASKS.added.update(tasks)


def declared() -> dict[str, OwnTask]:
    """The declared tasks by name, to be sent to another process."""
    return dict(_current)
