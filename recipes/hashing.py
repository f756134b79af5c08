"""SHA-256 of files, remembered between runs.

>>> memo = DigestMemo(Path(".lingopress/digests.json"))
>>> memo.file(Path("model.safetensors"))[:8]
'9f86d081'

A file is read again only when its size, modification time or inode changes. The memo is only that:
a corrupt or missing one is as good as an empty one. Several processes may use one: what others
learnt meanwhile is kept when it is saved.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from evalsuite.file_digest import sha256_file as sha256_file


def sha256_json(value: object) -> str:
    """SHA-256 of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Replace a small file as a whole: a reader sees the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> object:
    """What a JSON file holds; None where it is absent, is no JSON, or is nested too deep."""
    with suppress(OSError, ValueError, RecursionError):
        return json.loads(path.read_text("utf-8"))
    return None


_Seen = tuple[int, int, int]  # size, modification time, inode


class DigestMemo:
    """Digests by path, size, modification time and inode; kept in `path` where one is given."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.known = self._stored()
        self.changed: set[str] = set()  # names whose digests are not in the file yet

    def _stored(self) -> dict[str, list[object]]:
        """What the file holds now."""
        found = read_json(self.path) if self.path is not None else None
        return found if isinstance(found, dict) else {}

    def file(self, path: Path) -> str:
        """Digest of one file.

        Raises:
            OSError: it cannot be read.
        """
        name, seen = str(path.resolve()), _seen(path)
        entry = self.known.get(name)
        if isinstance(entry, list) and len(entry) == 4 and tuple(entry[:3]) == seen:
            return str(entry[3])
        return self.read(path)

    def read(self, path: Path) -> str:
        """Digest of one file that is read whatever is known of it.

        Raises:
            OSError: it cannot be read.
        """
        name, before = str(path.resolve()), _seen(path)
        digest = sha256_file(path)
        if _seen(path) == before:  # else another process was writing it
            self.note(path, digest)
        else:
            self.known.pop(name, None)
        return digest

    def note(self, path: Path, digest: str) -> None:
        """Remember the digest of a file that was read just now."""
        name = str(path.resolve())
        self.known[name] = [*_seen(path), digest]
        self.changed.add(name)

    def is_sound(self, what: str) -> bool:
        """Whether rows were noted as sound, under a digest of all that makes them so."""
        return f"sound:{what}" in self.known

    def note_sound(self, what: str) -> None:
        """Remember that rows are sound."""
        self.known[f"sound:{what}"] = []
        self.changed.add(f"sound:{what}")

    def files(self, root: Path, paths: Iterable[Path]) -> str:
        """One digest of several files and their names below `root`."""
        return sha256_json({p.relative_to(root).as_posix(): self.file(p) for p in sorted(paths)})

    def save(self) -> None:
        """Keep what was learnt; a memo that cannot be written is no error."""
        if self.path is None or not self.changed:
            return
        news = {name: self.known[name] for name in self.changed if name in self.known}
        self.known = self._stored() | news
        with suppress(OSError):
            write_atomically(self.path, json.dumps(self.known))
            self.changed.clear()


def _seen(path: Path) -> _Seen:
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino
