"""The catalogues of this package: the components of each kind, found by their file names.

>>> METHODS.names()[:2]
('bitfit', 'deep_prompt')
>>> INTERMEDIATE_TASKS.get("mnli").languages
('en',)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from evalsuite.catalog import Catalogue

if TYPE_CHECKING:
    from evalsuite.task import Example, Task
    from transfer.encoded_rows.encoded import Encoder, Rows
    from transfer.sentence_teacher import Teacher

METHODS: Catalogue[ModuleType] = Catalogue(
    "transfer.methods", "method", marks=("GIVES", "prepare"), group="methods"
)
INTERMEDIATE_TASKS: Catalogue[Task] = Catalogue(
    "transfer.intermediate", "intermediate task", attribute="TASK"
)
TEACHERS: Catalogue[Teacher] = Catalogue("transfer.teachers", "teacher", attribute="TEACHER")
ROWS: Catalogue[Callable[[Task, Sequence[Example], Encoder], Rows]] = Catalogue(
    "transfer.encoded_rows.formats", "format of training rows", attribute="ROWS"
)
