"""List the stages of a workspace or of a shared cache, and remove those that no run names.

>>> for stage in in_workspace(Workspace()):
...     print(stage.name, stage.bytes, stage.runs)
train-5feceb66ffc86f38d952 1112000 ('demo',)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from recipes.execution import work_snapshots
from recipes.execution.cache import Cache
from recipes.execution.manifest import Manifest, read_manifest
from recipes.execution.run_note import FILE, read_note
from recipes.execution.shared_cache import SharedCache
from recipes.execution.workspace import Workspace

UPLOAD_TIME = timedelta(days=1)
"""Files of an upload without a manifest are removed only when they are older."""
_RUN_TIME = timedelta(days=30)  # a mark of a run on a cluster may be needed for so long


@dataclass(frozen=True, slots=True)
class CachedStage:
    """A finished stage in a cache.

    Attributes:
        name: `<kind>-<key>`.
        label: of the stage in the recipe that made it.
        finished: when; None where its manifest cannot be read.
        runs: recipes whose last run names it; `prune` keeps it.
    """

    name: str
    label: str
    bytes: int
    finished: datetime | None
    runs: tuple[str, ...]

    def older(self, age: timedelta) -> bool:
        """Whether it was finished longer ago than that; what cannot be read is old."""
        return self.finished is None or datetime.now(UTC) - self.finished > age


def in_workspace(space: Workspace) -> list[CachedStage]:
    """The finished stages of a workspace, by name; no folder that a person put among them.

    Raises:
        WorkspaceError: there are none, they cannot be listed, or a run's note cannot be read: what
            it names is not known.
    """
    paths = [path for path in space.finished() if path.is_dir()]
    runs: dict[str, list[str]] = defaultdict(list)
    folders = sorted(space.runs.iterdir()) if space.runs.is_dir() else []
    for folder in filter(Path.is_dir, folders):
        note = read_note(folder / FILE, folder.name)
        for name in {Path(path).name for path in note.stages.values()} if note else ():
            runs[name].append(note.recipe if note and note.recipe else folder.name)
    return [_stage(path.name, read_manifest(path), runs) for path in paths]


def in_shared(shared: SharedCache) -> list[CachedStage]:
    """The stages of a shared cache, by name; reads each manifest.

    Raises:
        SharedCacheError: it cannot be read, or a manifest or a run's note is damaged.
    """
    runs: dict[str, list[str]] = defaultdict(list)
    for run in shared.runs():
        for name in run.stages:
            runs[name].append(run.recipe)
    found = []
    for name in _manifests(shared):
        if stored := shared.stored(name):
            found.append(_stage(name, stored.manifest, runs))
    return found


def prune_workspace(space: Workspace, age: timedelta, *, dry_run: bool) -> list[CachedStage]:
    """Remove the stages that no run names and that are older; those that were removed.

    Raises:
        WorkspaceError: as of `in_workspace`; nothing was removed.
    """
    cache = Cache(space)
    going = [stage for stage in in_workspace(space) if not stage.runs and stage.older(age)]
    for stage in () if dry_run else going:
        kind, _, key = stage.name.rpartition("-")
        with cache.lock(key, lambda: None):
            cache.forget(kind, key)
    return going


def prune_shared(shared: SharedCache, age: timedelta, *, dry_run: bool) -> list[CachedStage]:
    """The same in a shared cache, with files of unfinished uploads and old snapshots of stages.

    Raises:
        SharedCacheError: as of `in_shared`; nothing was removed.
    """
    going = [stage for stage in in_shared(shared) if not stage.runs and stage.older(age)]
    if not dry_run:
        for stage in going:
            shared.remove(stage.name)
        for name, folders in _unfinished(shared):
            shared.remove(name, files_only=folders)
        snapshots = filter(_is_made_here, shared.names(work_snapshots.FOLDER))
        for name in {name.removesuffix(".json") for name in snapshots}:
            kept = _RUN_TIME if name.startswith(work_snapshots.SEEN) else UPLOAD_TIME
            if shared.age(f"{work_snapshots.FOLDER}/{name}") > kept:
                work_snapshots.remove(shared, name)
    return going


def _stage(name: str, manifest: Manifest | None, runs: dict[str, list[str]]) -> CachedStage:
    named = tuple(runs.get(name, ()))
    if manifest is None:
        return CachedStage(name, "", 0, None, named)
    finished = datetime.fromisoformat(manifest.record.finished)
    size = sum(entry.bytes for entry in manifest.files.values())
    return CachedStage(name, manifest.record.name, size, finished, named)


def _is_made_here(name: str) -> bool:
    """Whether a name in a shared cache is of a stage; others, such as `.DS_Store`, are hidden."""
    return not name.startswith(".")


def _manifests(shared: SharedCache) -> Iterator[str]:
    for name in shared.names("stages"):
        if name.endswith(".json") and _is_made_here(name):
            yield name.removesuffix(".json")


def _unfinished(shared: SharedCache) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Folders of files that no manifest names, and that are not being written."""
    for name in filter(_is_made_here, shared.names("files")):
        stored = shared.stored(name)
        folders = tuple(
            folder
            for folder in shared.names(f"files/{name}")
            if (stored is None or folder != stored.folder)
            and shared.age(f"files/{name}/{folder}") > UPLOAD_TIME
        )
        if folders:
            yield name, folders
