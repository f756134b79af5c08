"""The tasks that a recipe declares, made known by their names; what is wrong is noted, not raised.

>>> declare_tasks(loaded.recipe.tasks, loaded.tree.get("tasks"), problems)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from evalsuite.errors import EvalsuiteError
from evalsuite.own.declared import declare, task_of
from recipes.parsing.node import Node, entries_of
from recipes.parsing.problems import Problems

if TYPE_CHECKING:
    from evalsuite.own.declaration import Declaration
    from evalsuite.own.own_task import OwnTask

TASK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def declare_tasks(
    declarations: Mapping[str, Declaration], node: Node | None, problems: Problems
) -> None:
    """Make these the declared tasks of this process, as far as their files can be read."""
    declare({})
    if not declarations:
        return
    from evalsuite.scoring import metric_of
    from transfer.find_task import CATALOGUES

    taken = {name for catalogue in CATALOGUES for name in catalogue.names()}
    found: dict[str, OwnTask] = {}
    for name, declaration in declarations.items():
        where = entries_of(node)[name].where
        if name in taken:
            problems.add(where, f"tasks: {name} is a task of lingopress; choose another name")
            continue
        if not TASK_NAME.fullmatch(name):
            problems.add(where, f"tasks: {name!r} is not a name (letters, digits, - and _)")
            problems.faulty_tasks.add(name)
            continue
        try:
            task = task_of(name, declaration)
            metric_of(task)
        except EvalsuiteError as error:
            problems.add(where, f"tasks.{name}: {error}")
            problems.faulty_tasks.add(name)
            continue
        for problem in task.first_row_problems():
            problems.add(where, f"tasks.{name}: {problem}")
        found[name] = task
    declare(found)
