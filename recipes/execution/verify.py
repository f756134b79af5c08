"""Read every published stage of a workspace again and compare it with what was written.

>>> verify(Workspace()).damaged
(Damaged(path=Path('.lingopress/stages/train-5fec'), label='teacher', problem='...'),)
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from recipes.execution.manifest import damage, read_manifest
from recipes.execution.workspace import Workspace
from recipes.hashing import DigestMemo


@dataclass(frozen=True, slots=True)
class Damaged:
    """A published stage that is not as it was written."""

    path: Path
    label: str  # "teacher[task=xnli]"; empty where its manifest cannot be read
    problem: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What was read, and what is wrong with it."""

    stages: int
    files: int
    bytes: int
    damaged: tuple[Damaged, ...]


def verify(space: Workspace) -> Verified:
    """Compare every file with its digest; bytes are read, whatever the file's time says.

    What is read is remembered, so that the next run makes each damaged stage again.

    Raises:
        WorkspaceError: there is no such workspace, or it cannot be listed.
    """
    paths = space.finished()
    memo = DigestMemo(space.digests)
    files, size, damaged = 0, 0, []
    for path in paths:
        manifest = read_manifest(path)
        if manifest is not None:
            files += len(manifest.files)
            size += sum(entry.bytes for entry in manifest.files.values())
        problem = damage(path, memo.read) and damage(path, memo.read)  # it may be made again now
        if problem and os.path.lexists(path):
            damaged.append(Damaged(path, manifest.record.name if manifest else "", problem))
    memo.save()
    return Verified(len(paths), files, size, tuple(damaged))
