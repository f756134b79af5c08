"""Copy stages between a workspace and a shared cache, without making any.

>>> push_run("demo", workspace=None, address="s3://bucket/lingopress").stages
4
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from recipes.errors import RecipesError
from recipes.execution.cache import Cache
from recipes.execution.find_outputs import last_run
from recipes.execution.manifest import read_manifest
from recipes.execution.shared_cache import SharedCache, SharedCacheError
from recipes.execution.workspace import Workspace
from recipes.planning.planned import Planned


@dataclass(frozen=True, slots=True)
class Copied:
    """How many stages were copied, in how many bytes; how many were there, or nowhere."""

    stages: int
    bytes: int
    there: int
    absent: int = 0
    damaged: tuple[str, ...] = ()  # why each of these could not be copied


def push_run(recipe: str, workspace: Path | None, address: str) -> Copied:
    """Copy the outputs of a recipe's last run, and note that it names them.

    Raises:
        RecipesError: it was not run, or an output is gone or damaged.
        SharedCacheError: the shared cache cannot be used.
    """
    space = Workspace(workspace)
    note = last_run(recipe, workspace)
    cache, shared = Cache(space), SharedCache(address)
    shared.require()
    again = note.run_again(recipe)
    paths = [cache.workspace.stages / Path(path).name for path in note.stages.values()]
    for path in dict.fromkeys(paths):
        if read_manifest(path) is None:
            raise RecipesError(f"an output of {recipe} is gone: {path}\n{again}")
        cache.require_whole(path, f"an output of {recipe}", f"to make it again, {again}")
    sizes = [shared.push(path, path.name) for path in dict.fromkeys(paths)]
    names = tuple(sorted({path.name for path in paths}))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    shared.note_run(note.recipe or recipe, now, names, space.root)
    copied = sum(size is not None for size in sizes)
    return Copied(copied, sum(size or 0 for size in sizes), len(sizes) - copied)


def pull_stages(stages: Iterable[Planned], space: Workspace, address: str) -> Copied:
    """Copy the stages that a shared cache has and the workspace has not.

    Raises:
        SharedCacheError: the shared cache cannot be used; where single stages cannot be copied, the
            others are, and `damaged` names them.
        WorkspaceError: the disk is full.
    """
    shared = SharedCache(address)
    shared.require()
    space.prepare()
    cache = Cache(space)
    copied = size = there = absent = 0
    damaged: list[str] = []
    for stage in stages:
        path = cache.path(stage.kind, stage.key)
        with space.guard(), cache.lock(stage.key, lambda: None):
            if cache.lookup(stage.kind, stage.key):
                there += 1
                continue
            try:
                found = cache.fetch(stage.kind, stage.key, partial(shared.pull, path.name))
            except SharedCacheError as error:
                damaged.append(f"{stage.label}: {error}")
                continue
            if found:
                copied += 1
                manifest = read_manifest(path)
                size += manifest.record.output_bytes if manifest else 0
            else:
                absent += 1
    return Copied(copied, size, there, absent, tuple(damaged))
