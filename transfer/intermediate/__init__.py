"""Intermediate tasks, trained on before the target task: one file each, with a `TASK`.

>>> names()
('mnli', 'snli')
>>> get("mnli").languages
('en',)

STILTs: Phang et al. 2018 (arXiv:1811.01088); across languages, Phang et al. 2020
(arXiv:2005.13013).
"""

from __future__ import annotations

from evalsuite import catalog
from evalsuite.task import Task


def names() -> tuple[str, ...]:
    """Names of the intermediate tasks, from their files."""
    return catalog.names(__name__)


def get(name: str) -> Task:
    """The intermediate task of that name.

    Raises:
        UnknownNameError: there is none; offers the nearest.
    """
    task: Task = catalog.load(__name__, name, "TASK", kind="intermediate task")
    return task
