"""Files that were downloaded are held against the digests the hub names them by.

>>> began = time.time()
>>> snapshot_download("org/name")
>>> refuse_damaged(Asked("org/name", "model"), began)

The hub's cache keeps a file under its SHA-256, or under its git blob id where it is small; the
client compares sizes alone. A file that is not what its name says is deleted, so that the next run
downloads it again.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from evalsuite.errors import DataError, ModelError
from evalsuite.hub.refusals import Asked

_CHUNK = 1 << 20
_CLOCK = 2.0  # seconds that a file system's clock may lie behind


def refuse_damaged(asked: Asked, since: float) -> None:
    """Compare the files of one repository that are newer than a time.

    Raises:
        ModelError, DataError: some are damaged; they are deleted from the cache.
    """
    damaged = [path for path in _downloaded(asked, since) if not _is_intact(path)]
    if not damaged:
        return
    names = ", ".join(sorted({_shown(path) for path in damaged}))
    for path in damaged:
        path.unlink()
    refused = ModelError if asked.kind == "model" else DataError
    raise refused(
        f"the {asked} came damaged: {names} does not have the digest that the hub gives; it was "
        "deleted from the cache\nrun the same command again"
    )


def _downloaded(asked: Asked, since: float) -> list[Path]:
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(
        repo_id=asked.repo, repo_type=asked.kind
    )
    return [
        path
        for path in (folder / "blobs").glob("*")
        if path.is_file() and path.stat().st_mtime >= since - _CLOCK
    ]


def _is_intact(path: Path) -> bool:
    """Whether a file's digest is its name; True where the name is no digest."""
    if re.fullmatch(r"[0-9a-f]{64}", path.name):
        digest = hashlib.sha256()
    elif re.fullmatch(r"[0-9a-f]{40}", path.name):
        digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    else:
        return True
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest() == path.name


def _shown(blob: Path) -> str:
    """The name a file has in its repository, of the link in `snapshots` that leads to it."""
    snapshots = blob.parent.parent / "snapshots"
    for link in sorted(snapshots.rglob("*")):
        if link.is_symlink() and link.resolve() == blob.resolve():
            return link.relative_to(snapshots).as_posix().split("/", 1)[1]
    return blob.name
