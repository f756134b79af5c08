"""SHA-256 of files, remembered between runs.

>>> memo = DigestMemo(Path(".lingopress/digests.json"))
>>> memo.file(Path("model.safetensors"))[:8]
'9f86d081'

A file is read again only when its size or modification time changes. The memo is only that: a
corrupt or missing one is as good as an empty one.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


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


class DigestMemo:
    """Digests by path, size and modification time; kept in `path` where one is given."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.known: dict[str, list[object]] = {}
        self.changed = False
        if path is not None:
            with suppress(OSError, ValueError):
                loaded = json.loads(path.read_text("utf-8"))
                if isinstance(loaded, dict):
                    self.known = loaded

    def file(self, path: Path) -> str:
        """Digest of one file."""
        status = path.stat()
        name = str(path.resolve())
        entry = self.known.get(name)
        if isinstance(entry, list) and len(entry) == 3:
            size, modified, digest = entry
            if (size, modified) == (status.st_size, status.st_mtime_ns) and isinstance(digest, str):
                return digest
        digest = sha256_file(path)
        self.known[name] = [status.st_size, status.st_mtime_ns, digest]
        self.changed = True
        return digest

    def files(self, root: Path, paths: Iterable[Path]) -> str:
        """One digest of several files and their names below `root`."""
        return sha256_json({p.relative_to(root).as_posix(): self.file(p) for p in sorted(paths)})

    def save(self) -> None:
        """Keep what was learnt; a memo that cannot be written is no error."""
        if self.path is not None and self.changed:
            with suppress(OSError):
                write_atomically(self.path, json.dumps(self.known))
                self.changed = False
