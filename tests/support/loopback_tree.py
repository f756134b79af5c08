"""Repositories of the loopback hub: commits, ids of files, and the entries that it lists."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

LARGE = (".parquet", ".gz", ".safetensors", ".bin", ".onnx", ".h5", ".msgpack")


@dataclass
class Repository:
    """The files of each commit, and what the branches point to."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    private: bool = False
    gated: bool = False

    def commit_of(self, revision: str) -> str | None:
        commit = self.branches.get(revision, revision)
        return commit if commit in self.commits else None


def git_id(content: bytes) -> str:
    """The id git gives a file."""
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


def tree(files: dict[str, bytes], folder: str, deep: bool) -> list[dict[str, Any]]:
    """Entries below a folder, as the hub lists them: folders first where they come up."""
    entries: dict[str, dict[str, Any]] = {}
    prefix = f"{folder}/" if folder else ""
    for path, content in sorted(files.items()):
        if not path.startswith(prefix):
            continue
        steps = path.removeprefix(prefix).split("/")
        for depth in range(1, len(steps) if deep else min(len(steps), 2)):
            above = prefix + "/".join(steps[:depth])
            entries[above] = {"type": "directory", "path": above, "oid": "0" * 40, "size": 0}
        if not deep and len(steps) > 1:
            continue
        entry = {"type": "file", "path": path, "oid": git_id(content), "size": len(content)}
        if path.endswith(LARGE):
            digest = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 130}
        entries[path] = entry
    return list(entries.values())
