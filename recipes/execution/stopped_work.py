"""Find and remove the work of stages that were stopped and never went on.

>>> for work in unused(Workspace(), timedelta(days=30)):
...     print(work.path.name, work.bytes)
5feceb66ffc86f38d952 1112000000

A stage that goes on finds its work by its key, so work of a recipe that was changed since is never
found again. What is being worked on is locked, and stays.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from recipes.execution.token_files import IN_USE
from recipes.execution.workspace import Workspace


@dataclass(frozen=True, slots=True)
class StoppedWork:
    """A folder of the workspace's `partial`.

    Attributes:
        written: when something was last written in it, in seconds of `time.time`.
    """

    path: Path
    bytes: int
    written: float


def unused(space: Workspace, age: timedelta) -> list[StoppedWork]:
    """Folders in which nothing was written for longer than `age` and than a day, by name."""
    latest = time.time() - max(age, IN_USE).total_seconds()
    return [work for work in unfinished(space) if work.written < latest]


def unfinished(space: Workspace) -> list[StoppedWork]:
    """Folders of stages that are being made or were stopped, by name."""
    found = []
    folders = sorted(space.partial.iterdir()) if space.partial.is_dir() else []
    for folder in filter(Path.is_dir, folders):
        with suppress(FileNotFoundError):  # another process works there
            states = [path.lstat() for path in (folder, *folder.rglob("*"))]
            written = max(state.st_mtime for state in states)
            found.append(StoppedWork(folder, sum(state.st_size for state in states), written))
    return found


def remove(space: Workspace, works: Sequence[StoppedWork]) -> None:
    """Delete the folders but those that a process has taken up again."""
    from filelock import FileLock, Timeout

    for work in works:
        kind, _, key = work.path.name.rpartition("-")  # trash-, pull- and work- come before it
        held = (
            nullcontext() if kind == "trash" else FileLock(space.locks / f"{key}.lock", timeout=0)
        )
        with suppress(Timeout), held:
            shutil.rmtree(work.path, ignore_errors=True)
