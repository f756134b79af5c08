"""Finished stages by key: made aside, published whole, found again.

>>> cache = Cache(workspace)
>>> with cache.attempt("train", key) as attempt:
...     summary = module.run(config, context(attempt.out, attempt.work))
...     cache.publish(attempt, record(summary))
>>> cache.lookup("train", key)
Path('.lingopress/stages/train-5feceb66ffc86f38d952')

An output is made in `partial/<key>/out`, its manifest is written last, everything is synced, and
one rename publishes it. A killed or failed attempt keeps `work/` for the next one and publishes
nothing. A lock a key lets one process work while others wait.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from evalsuite.results.run import MANIFEST, StageRecord
from recipes.errors import WorkspaceError
from recipes.execution.manifest import (
    FORMAT,
    FileEntry,
    Manifest,
    damage,
    read_manifest,
)
from recipes.execution.workspace import Workspace
from recipes.hashing import DigestMemo, read_json, sha256_file, write_atomically

ELAPSED = "elapsed.json"  # in the folder of an attempt
_AGAIN = "again"  # the same, of a stage that is to be made here
_SAVE_EVERY = 3.0  # seconds between notes of the time spent


@dataclass(slots=True)
class Attempt:
    """A stage in the making. `seconds()` counts the work of killed attempts too."""

    kind: str
    key: str
    folder: Path
    before: float
    started: float = field(default_factory=time.monotonic)
    saved: float = 0.0

    @property
    def out(self) -> Path:
        """Empty at the start; what is in it at the end is published."""
        return self.folder / "out"

    @property
    def work(self) -> Path:
        """Kept until the stage is published."""
        return self.folder / "work"

    def seconds(self) -> float:
        """Time worked on this stage, over all attempts."""
        return self.before + time.monotonic() - self.started

    def tick(self, *, now: bool = False) -> None:
        """Note the time spent, every few seconds at most."""
        if now or time.monotonic() - self.saved >= _SAVE_EVERY:
            self.saved = time.monotonic()
            with suppress(OSError):
                text = json.dumps({"seconds": self.seconds()})
                write_atomically(self.folder / ELAPSED, text)


class Cache:
    """Published stages of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.memo = DigestMemo(workspace.digests)

    def path(self, kind: str, key: str) -> Path:
        """Where a stage is published."""
        return self.workspace.stages / f"{kind}-{key[:20]}"

    def partial(self, key: str) -> Path:
        """Where a stage is made."""
        return self.workspace.partial / key[:20]

    def lookup(self, kind: str, key: str) -> Path | None:
        """The published output, or None where there is none or it is damaged.

        Cheap: a file is read only where it was not read since it last changed.
        """
        path = self.path(kind, key)
        found = read_manifest(path)
        if found is None or found.record.key != key or self.damage(path):
            return None
        return path

    def damage(self, path: Path) -> str:
        """What is wrong with a published directory; empty where nothing is, or it is not there."""
        if not os.path.lexists(path):
            return ""
        try:
            return damage(path, self.memo.file)
        finally:
            self.memo.save()

    def require_whole(self, path: Path, what: str, remedy: str) -> None:
        """Refuse a published directory that was damaged.

        Raises:
            WorkspaceError: it was; `remedy` says what to do.
        """
        if problem := self.damage(path):
            raise WorkspaceError(f"{what} is damaged: {path}: {problem}\n{remedy}")

    @contextmanager
    def lock(self, key: str, on_wait: Callable[[], None]) -> Iterator[None]:
        """Hold a stage; `on_wait` is called once if another process holds it."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.workspace.locks / f"{key[:20]}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            on_wait()
            lock.acquire(poll_interval=0.2)
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def attempt(self, kind: str, key: str) -> Iterator[Attempt]:
        """An empty `out` and the `work` of the last attempt; the lock must be held."""
        folder = self.partial(key)
        attempt = Attempt(kind, key, folder, elapsed(folder))
        shutil.rmtree(attempt.out, ignore_errors=True)
        attempt.out.mkdir(parents=True)
        attempt.work.mkdir(exist_ok=True)
        try:
            yield attempt
        except BaseException:
            attempt.tick(now=True)
            shutil.rmtree(attempt.out, ignore_errors=True)
            raise

    def publish(self, attempt: Attempt, record: StageRecord) -> Path:
        """Make an attempt's output the stage's: manifest last, then one rename."""
        files = {}
        for path in sorted(attempt.out.rglob("*")):
            if path.is_file():
                name = path.relative_to(attempt.out).as_posix()
                files[name] = FileEntry(bytes=path.stat().st_size, sha256=sha256_file(path))
                _sync(path)
        record = record.model_copy(update={"output_bytes": sum(f.bytes for f in files.values())})
        manifest = Manifest(format=FORMAT, record=record, files=files).sealed()
        write_atomically(attempt.out / MANIFEST, manifest.model_dump_json(indent=2) + "\n")
        target = self._place(attempt.out, self.path(attempt.kind, attempt.key), manifest)
        shutil.rmtree(attempt.folder, ignore_errors=True)
        return target

    def fetch(self, kind: str, key: str, pull: Callable[[Path], bool]) -> bool:
        """Publish what `pull` puts into an empty directory; the lock must be held.

        Args:
            pull: fills the directory, manifest included, and returns False where there is nothing.
        """
        folder = self.workspace.partial / f"pull-{key[:20]}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            manifest = read_manifest(folder) if pull(folder) else None
            if manifest is None or manifest.record.key != key:
                return False
            for name in manifest.files:
                _sync(folder / name)
            self._place(folder, self.path(kind, key), manifest)
            (self.partial(key) / _AGAIN).unlink(missing_ok=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return True

    def _place(self, folder: Path, target: Path, manifest: Manifest) -> Path:
        """Put a whole directory where a stage is published, by one rename."""
        for inner in [p for p in folder.rglob("*") if p.is_dir()]:
            _sync(inner)
        _sync(folder)
        self._remove(target)
        folder.rename(target)
        _sync(target.parent)
        for name, entry in manifest.files.items():
            self.memo.note(target / name, entry.sha256)
        self.memo.save()
        return target

    def forget(self, kind: str, key: str, *, again: bool = False) -> None:
        """Remove a stage's output and what a killed attempt left; the lock must be held.

        Args:
            again: note that it is to be made here, for runs after one that is stopped too.
        """
        self._remove(self.path(kind, key))
        self._remove(self.partial(key))
        if again:
            self.partial(key).mkdir(parents=True)
            (self.partial(key) / _AGAIN).touch()

    def is_made_again(self, key: str) -> bool:
        """Whether a stage is to be made here, whatever a shared cache has (`--from`)."""
        return key in self.workspace.again or (self.partial(key) / _AGAIN).is_file()

    def _remove(self, path: Path) -> None:
        """Take a directory out of sight at once, then delete it."""
        if os.path.lexists(path):
            self.workspace.partial.mkdir(parents=True, exist_ok=True)
            trash = self.workspace.partial / f"trash-{uuid.uuid4().hex}"
            path.rename(trash)
            if trash.is_dir() and not trash.is_symlink():
                shutil.rmtree(trash, ignore_errors=True)
            else:
                trash.unlink()


def elapsed(folder: Path) -> float:
    """Seconds that killed attempts worked in a folder; 0 where there were none."""
    found = read_json(folder / ELAPSED)
    seconds = found.get("seconds") if isinstance(found, dict) else None
    return float(seconds) if isinstance(seconds, int | float) and 0 <= seconds < inf else 0.0


def _sync(path: Path) -> None:
    """Flush a file or directory to disk, where the system can."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
