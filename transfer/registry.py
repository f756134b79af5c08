"""The catalogues of this package: what files there are of each kind.

>>> METHODS.names()[:2]
('bitfit', 'deep_prompt')
>>> INTERMEDIATE_TASKS.get("mnli").languages
('en',)
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from evalsuite.catalog import Catalogue

if TYPE_CHECKING:
    from evalsuite.task import Task
    from transfer.sentence_teacher import Teacher

METHODS: Catalogue[ModuleType] = Catalogue("transfer.methods", "method")
INTERMEDIATE_TASKS: Catalogue[Task] = Catalogue(
    "transfer.intermediate", "intermediate task", attribute="TASK"
)
TEACHERS: Catalogue[Teacher] = Catalogue("transfer.teachers", "teacher", attribute="TEACHER")
