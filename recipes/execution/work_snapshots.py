"""Snapshots of stages in the making, in a shared cache: another machine goes on from them.

>>> snapshots = WorkSnapshots(cache, SharedCache("s3://bucket/lingopress"))
>>> snapshots.restore("train", key)   # before an attempt
True
>>> snapshots.tick(attempt)           # while it works, as often as one likes
>>> snapshots.drop("train", key)      # once the stage is published

What a stage keeps in its work directory survives a kill of its process at any moment. So a copy
of the directory as it was at one moment will do: its files are linked while the stage waits in
`tick`, and copied by a thread. Files are stored by their digests, so that what did not change is
not sent again; the list of a snapshot's files is written last.

```
work/<kind>-<key>.json           seconds worked so far, and the files by name
work/<kind>-<key>/<sha256>       their content
```
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from recipes.execution.cache import ELAPSED, Attempt, Cache, elapsed
from recipes.execution.manifest import FileEntry
from recipes.execution.shared_cache import SharedCache, SharedCacheError
from recipes.hashing import sha256_file, write_atomically

EVERY = 5.0  # seconds between two looks at the work directory
FOLDER = "work"
SEEN = "seen-"  # begins the names of marks there, one per run on a cluster

_State = dict[str, tuple[int, int]]  # name -> bytes, time of the last change in ns


class Snapshot(BaseModel):
    """A work directory at one moment."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    seconds: float
    files: dict[str, FileEntry]


class WorkSnapshots:
    """Sends and fetches the work directories of stages."""

    def __init__(self, cache: Cache, shared: SharedCache) -> None:
        self.cache, self.shared = cache, shared
        self._sent: dict[str, _State] = {}  # by name, what was sent last
        self._looked = 0.0
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def restore(self, kind: str, key: str) -> bool:
        """Fill the work directory from the last snapshot, where that is further than what is here.

        The stage's lock must be held. A snapshot that cannot be read is no snapshot.
        """
        folder, name = self.cache.partial(key), self._name(kind, key)
        with suppress(SharedCacheError, ValueError):
            found = self._read(name)
            if found is None or found.seconds <= elapsed(folder):
                return False
            fresh = folder.with_name(f"work-{key[:20]}")
            shutil.rmtree(fresh, ignore_errors=True)
            try:
                self._fetch(name, found, fresh)
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                fresh.rename(folder / "work")
                write_atomically(folder / ELAPSED, f'{{"seconds": {found.seconds}}}')
                return True
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
        return False

    def tick(self, attempt: Attempt) -> None:
        """Send what changed, now and then; the stage that calls this writes nothing meanwhile."""
        now = time.monotonic()
        if now - self._looked < EVERY or (self._thread is not None and self._thread.is_alive()):
            return
        self._looked = now
        name, state = self._name(attempt.kind, attempt.key), _state(attempt.work)
        if not state or state == self._sent.get(name):
            return
        copy = attempt.folder / "sent"
        if _linked(attempt.work, copy, state):
            arguments = (name, copy, state, attempt.seconds())
            self._thread = threading.Thread(target=self._send, args=arguments, daemon=True)
            self._thread.start()

    def drop(self, kind: str, key: str) -> None:
        """Remove the snapshots of a stage that is finished."""
        if self._thread is not None:
            self._thread.join()
        name = self._name(kind, key)
        self._sent.pop(name, None)
        with suppress(SharedCacheError):
            remove(self.shared, name)

    def _name(self, kind: str, key: str) -> str:
        return self.cache.path(kind, key).name

    def _read(self, name: str) -> Snapshot | None:
        with self.shared.about(f"the snapshot of {name} cannot be read"):
            data = self.shared.read(f"{FOLDER}/{name}.json")
        return None if data is None else Snapshot.model_validate_json(data)

    def _fetch(self, name: str, found: Snapshot, fresh: Path) -> None:
        fresh.mkdir(parents=True)
        for file, entry in found.files.items():
            target = fresh / file
            if not target.resolve().is_relative_to(fresh.resolve()):
                raise SharedCacheError(f"the snapshot of {name} has a file outside: {file}")
            target.parent.mkdir(parents=True, exist_ok=True)
            with self.shared.about(f"the snapshot of {name} cannot be read"):
                self.shared.files.get_file(self._object(name, entry), str(target))
            if sha256_file(target) != entry.sha256:
                raise SharedCacheError(f"the snapshot of {name} is damaged: {file}")

    def _send(self, name: str, copy: Path, state: _State, seconds: float) -> None:
        """Send a copy; a snapshot that changed while it was read does not count."""
        try:
            files = {}
            with self.shared.about(f"the snapshot of {name} cannot be written"):
                known = self.shared.sizes(f"{FOLDER}/{name}")
                self.shared.files.makedirs(self.shared.path(f"{FOLDER}/{name}"), exist_ok=True)
                for file, (size, _) in state.items():
                    entry = FileEntry(bytes=size, sha256=sha256_file(copy / file))
                    files[file] = entry
                    if known.get(entry.sha256) != size:  # a kill may leave half a file
                        self.shared.files.put_file(str(copy / file), self._object(name, entry))
            if _state(copy) != state:
                return
            text = Snapshot(seconds=seconds, files=files).model_dump_json()
            self.shared.write(f"{FOLDER}/{name}.json", text)
            self._sent[name] = state
            with self.shared.about(f"old files of {name} cannot be removed"):
                for old in known.keys() - {entry.sha256 for entry in files.values()}:
                    self.shared.files.rm_file(self.shared.path(f"{FOLDER}/{name}/{old}"))
        except (OSError, SharedCacheError):  # the next one will do, or none
            return
        finally:
            shutil.rmtree(copy, ignore_errors=True)

    def _object(self, name: str, entry: FileEntry) -> str:
        return self.shared.path(f"{FOLDER}/{name}/{entry.sha256}")


def remove(shared: SharedCache, name: str) -> None:
    """Remove the snapshots of a stage, `<kind>-<key>`, where there are some.

    Raises:
        SharedCacheError: they cannot be removed.
    """
    with shared.about(f"the snapshot of {name} cannot be removed"):
        for path, folder in ((f"{FOLDER}/{name}.json", False), (f"{FOLDER}/{name}", True)):
            with suppress(FileNotFoundError):
                shared.files.rm(shared.path(path), recursive=folder)


def _state(folder: Path) -> _State:
    """Size and time of every file; nothing where one goes away meanwhile."""
    found = {}
    with suppress(OSError):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                status = path.stat()
                found[path.relative_to(folder).as_posix()] = status.st_size, status.st_mtime_ns
        return found
    return {}


def _linked(work: Path, copy: Path, state: _State) -> bool:
    """Link files into a new folder, or copy them where the disk has no links."""
    shutil.rmtree(copy, ignore_errors=True)
    try:
        for name in state:
            target = copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(work / name, target)
            except OSError:
                shutil.copy2(work / name, target)
    except OSError:
        shutil.rmtree(copy, ignore_errors=True)
        return False
    return True
