"""Find and remove the token files of streamed text that no training has read for some time.

>>> for file in unused(Workspace(), timedelta(days=30)):
...     print(file.path.name, file.bytes)
5f1c0a5e9a3b4c2d8e7f6a5b4c3d2e1f.arrow 812345344

They are no outputs of a stage: a training makes again what it does not find. A training notes once
per hour that it reads a file, so a file that was read in the last day stays.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from recipes.execution.workspace import Workspace

IN_USE = timedelta(days=1)
"""A file that was read or written since then may be read by a training that runs."""


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A file of the workspace's `tokens` folder: token ids, or a note about a text's digest."""

    path: Path
    bytes: int


def unused(space: Workspace, age: timedelta) -> list[TokenFile]:
    """Files that were last read or written longer ago than `age` and than a day, by name."""
    latest = time.time() - max(age, IN_USE).total_seconds()
    found = []
    for path in sorted(space.tokens.iterdir()) if space.tokens.is_dir() else ():
        with suppress(FileNotFoundError):  # another process renames or removes it
            status = path.stat()
            if path.is_file() and status.st_mtime < latest:
                found.append(TokenFile(path, status.st_size))
    return found


def remove(files: Sequence[TokenFile]) -> None:
    """Delete the files; those that are gone already are no error."""
    for file in files:
        file.path.unlink(missing_ok=True)
