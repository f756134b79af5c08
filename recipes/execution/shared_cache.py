"""Finished stages that several machines share, in a directory or an object store.

>>> shared = SharedCache("s3://bucket/lingopress")
>>> shared.require()
>>> shared.push(Path(".lingopress/stages/train-5feceb66ffc86f38d952"), "train-5feceb66ffc86f38d952")
>>> shared.pull("train-5feceb66ffc86f38d952", Path("out"))

Any address that fsspec opens will do. Below it:

```
lingopress-cache.json              the format of what follows
stages/<kind>-<key>.json           the manifest of a stage, and the folder its files are in
files/<kind>-<key>/<folder>/...    its files; each upload has a new folder
runs/<recipe>-<workspace>.json     the stages that a run names
work/<kind>-<key>...               snapshots of stages that nodes are making now
```

The manifest is written last and as a whole, so that a stage is there entirely or not at all,
whoever else writes it. A reader takes one object by its name and lists nothing. Every file is
compared with its digest when it is pulled.
"""

from __future__ import annotations

import hashlib
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from evalsuite.results.run import MANIFEST
from recipes.errors import WorkspaceError
from recipes.execution.manifest import FORMAT, Manifest, read_manifest
from recipes.execution.workspace import is_disk_full
from recipes.hashing import sha256_file, write_atomically
from recipes.naming import distinct_file_name

MARKER = "lingopress-cache.json"
_S3_CONFIG = {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 3}}

Model = TypeVar("Model", bound=BaseModel)


class SharedCacheError(WorkspaceError):
    """The shared cache cannot be used, or holds something damaged."""


class DamagedError(SharedCacheError):
    """An object of the shared cache is not what was written there."""


class Stored(BaseModel):
    """A stage in a shared cache."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    folder: str
    manifest: Manifest


class SharedRun(BaseModel):
    """The stages that a run of a workspace names."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    recipe: str
    finished: str
    stages: tuple[str, ...]


class _Format(BaseModel):
    format: int


class SharedCache:
    """Finished stages at one address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.files, root = _open(address)
        self.root = PurePosixPath(root)

    def require(self) -> None:
        """Refuse an address that can neither be read nor begun.

        Raises:
            SharedCacheError: says what the store answered.
        """
        with self.about("cannot be opened"):
            data = self.read(MARKER)
            if data is None:
                self.write(MARKER, _Format(format=FORMAT).model_dump_json())
                return
        try:
            found = _Format.model_validate_json(data).format
        except ValidationError:
            found = 0
        if found != FORMAT:
            raise SharedCacheError(
                f"{self.address}: {MARKER} is of another version of lingopress\n"
                "choose another address: --cache ADDRESS"
            )

    def stored(self, name: str) -> Stored | None:
        """What is known of a stage, `<kind>-<key>`; None where it is not there.

        Raises:
            SharedCacheError: it cannot be read.
            DamagedError: it is not what was written.
        """
        with self.about(f"{name} cannot be read"):
            data = self.read(f"stages/{name}.json")
        found = None if data is None else self._parse(Stored, data, f"stages/{name}.json")
        if found is None:
            return None
        manifest = found.manifest
        sound = manifest.sha256 == manifest.digest() and all(map(_is_inside, manifest.files))
        if not sound or not _is_inside(found.folder) or not name.endswith(manifest.record.key[:20]):
            raise DamagedError(f"{self.address}: stages/{name}.json is damaged")
        return found if manifest.format == FORMAT else None

    def pull(self, name: str, out: Path) -> bool:
        """Copy a stage into an empty directory, its manifest too; False where it is not there.

        Raises:
            SharedCacheError: a file cannot be read; `out` is not to be used.
            DamagedError: a file is not what the stage wrote; nor is `out` then.
            OSError: the disk of `out` is full.
        """
        stored = self.stored(name)
        if stored is None:
            return False
        for file, entry in stored.manifest.files.items():
            target = out / file
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with self.about(f"{file} of {name} cannot be read"):
                    source = self.path(f"files/{name}/{stored.folder}/{file}")
                    self.files.get_file(source, str(target))
            except SharedCacheError as error:
                if isinstance(error.__cause__, OSError) and is_disk_full(error):
                    raise error.__cause__ from None  # of this machine, not of the cache
                raise
            if target.stat().st_size != entry.bytes or sha256_file(target) != entry.sha256:
                raise DamagedError(f"{self.address}: {file} of {name} is not what the stage wrote")
        text = stored.manifest.model_dump_json(indent=2)
        write_atomically(out / MANIFEST, text + "\n")
        return True

    def push(self, path: Path, name: str, *, replace: bool = False) -> int | None:
        """Copy a published directory here; the bytes that went up, None where it was here already.

        Args:
            replace: copy it whatever is here.

        Raises:
            SharedCacheError: it cannot be written; nothing of it can be seen.
        """
        manifest = read_manifest(path)
        if manifest is None:
            raise SharedCacheError(f"{path} is not a finished stage")
        if not replace and self._has(name, manifest):
            return None
        folder = uuid.uuid4().hex
        with self.about(f"{name} cannot be written"):
            for file in manifest.files:
                target = self.path(f"files/{name}/{folder}/{file}")
                self.files.makedirs(str(PurePosixPath(target).parent), exist_ok=True)
                self.files.put_file(str(path / file), target)
            stored = Stored(folder=folder, manifest=manifest.sealed())
            self.write(f"stages/{name}.json", stored.model_dump_json())
        return sum(entry.bytes for entry in manifest.files.values())

    def note_run(self, recipe: str, finished: str, stages: tuple[str, ...], root: Path) -> None:
        """Note what a run of the workspace at `root` names; `prune` keeps it.

        Raises:
            SharedCacheError: it cannot be written.
        """
        place = hashlib.sha256(f"{socket.gethostname()}:{root}".encode()).hexdigest()[:12]
        run = SharedRun(recipe=recipe, finished=finished, stages=stages)
        with self.about("the note of a run cannot be written"):
            self.write(f"runs/{distinct_file_name(recipe)}-{place}.json", run.model_dump_json())

    def names(self, folder: str) -> list[str]:
        """Names in a folder, sorted; none where there is no such folder."""
        with self.about(f"{folder} cannot be listed"):
            try:
                found = self.files.ls(self.path(folder), detail=False)
            except FileNotFoundError:
                return []
        return sorted(PurePosixPath(path).name for path in found)

    def runs(self) -> Iterator[SharedRun]:
        """Every run that was noted.

        Raises:
            SharedCacheError: one cannot be read: what it names is not known.
        """
        for name in self.names("runs"):
            if name.startswith("."):  # being written, or left by a kill
                continue
            with self.about(f"runs/{name} cannot be read"):
                data = self.read(f"runs/{name}")
            if data is not None:  # removed a moment ago
                yield self._parse(SharedRun, data, f"runs/{name}")

    def age(self, folder: str) -> timedelta:
        """How long ago the newest file below a folder was written."""
        with self.about(f"{folder} cannot be read"):
            found = self.files.find(self.path(folder), detail=True).values()
            newest = max((_written(self.files, info) for info in found), default=None)
        return timedelta.max if newest is None else datetime.now(UTC) - newest

    def remove(self, name: str, *, files_only: tuple[str, ...] | None = None) -> None:
        """Remove a stage, its manifest first; or only these folders of its files."""
        with self.about(f"{name} cannot be removed"):
            if files_only is None:
                self.files.rm_file(self.path(f"stages/{name}.json"))
                self.files.rm(self.path(f"files/{name}"), recursive=True)
            for folder in files_only or ():
                self.files.rm(self.path(f"files/{name}/{folder}"), recursive=True)

    def read(self, name: str) -> bytes | None:
        """A small object; None where there is none."""
        try:
            data: bytes = self.files.cat_file(self.path(name))
        except FileNotFoundError:
            return None
        return data

    def write(self, name: str, text: str) -> None:
        """Replace a small object as a whole: object stores do so, a directory by a rename."""
        path = self.path(name)
        if "file" in _protocols(self.files):
            write_atomically(Path(path), text)
        else:
            self.files.pipe_file(path, text.encode())

    def path(self, name: str) -> str:
        """The address of an object, as the store's library takes it."""
        return str(self.root / name)

    def sizes(self, folder: str) -> dict[str, int]:
        """Bytes of the files in a folder, by name; none where there is no such folder."""
        with self.about(f"{folder} cannot be listed"):
            try:
                found = self.files.ls(self.path(folder), detail=True)
            except FileNotFoundError:
                return {}
        return {PurePosixPath(info["name"]).name: int(info["size"] or 0) for info in found}

    def _has(self, name: str, manifest: Manifest) -> bool:
        """Whether the very files of a manifest are here; others of the stage are replaced."""
        try:
            stored = self.stored(name)
            if stored is None or stored.manifest.files != manifest.files:
                return False
            folder = self.path(f"files/{name}/{stored.folder}")
            sizes = {file: entry.bytes for file, entry in stored.manifest.files.items()}
            with self.about(f"{name} cannot be read"):
                return all(
                    self.files.size(f"{folder}/{file}") == size for file, size in sizes.items()
                )
        except SharedCacheError:
            return False  # damaged: it is written again

    def _parse(self, model: type[Model], data: bytes, name: str) -> Model:
        try:
            return model.model_validate_json(data)
        except ValidationError as error:
            raise DamagedError(f"{self.address}: {name} is damaged") from error

    @contextmanager
    def about(self, what: str) -> Iterator[None]:
        """One message, whatever a store's library raises."""
        try:
            yield
        except SharedCacheError:
            raise
        except Exception as error:
            raise SharedCacheError(
                f"the shared cache {self.address}: {what}: {_cause(error)}"
            ) from error


def _open(address: str) -> tuple[Any, str]:
    import fsspec

    options: dict[str, Any] = {"use_listings_cache": False}
    if address.startswith(("s3:", "s3a:")):
        options["config_kwargs"] = _S3_CONFIG
    try:
        files, root = fsspec.core.url_to_fs(address, **options)
    except ImportError as error:
        raise SharedCacheError(f"the shared cache {address}: {error}") from error
    except Exception as error:
        raise SharedCacheError(
            f"the shared cache {address} cannot be opened: {_cause(error)}\n"
            "give a directory, or an address such as s3://bucket/folder"
        ) from error
    return files, root


def _written(files: Any, info: dict[str, Any]) -> datetime:
    when: datetime = files.modified(info["name"])
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _protocols(files: Any) -> tuple[str, ...]:
    return (files.protocol,) if isinstance(files.protocol, str) else tuple(files.protocol)


def _is_inside(name: str) -> bool:
    """Whether a name from a store stays below the directory it is put in."""
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts or "\\" in name
    return bool(path.parts) and not outside


def _cause(error: BaseException) -> str:
    """The first line of an error, or of what caused it, in as many words as it has."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = str(error).strip().splitlines()
    return text[0][:300] if text else type(error).__name__
