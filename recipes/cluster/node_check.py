"""What is installed on a node and which files it sees, compared with this machine.

>>> problems(describe(expected), describe(expected))
[]

Stages give the same everywhere only where the same code makes them from the same files.
"""

from __future__ import annotations

import hashlib
import os
import platform
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from evalsuite.home_path import home_path
from evalsuite.install_command import install_command
from recipes.execution.shared_cache import SharedCache, SharedCacheError
from recipes.execution.workspace import VARIABLE

PACKAGES = ("torch", "transformers", "tokenizers", "peft", "datasets", "numpy", "ray")
_OURS = ("evalsuite", "transfer", "compress", "recipes")


@dataclass(frozen=True, slots=True)
class Files:
    """What the nodes are to find.

    Attributes:
        root: the workspace of this machine.
        cache: address of the shared cache, if there is one.
        mark: name of a file that is now in both.
    """

    root: Path
    cache: str | None
    mark: str

    def in_workspace(self) -> Path:
        """The mark in the workspace of this machine."""
        return mark_in(self.root, self.mark)

    def in_cache(self) -> str:
        """The mark's name in the shared cache."""
        return f"work/{self.mark}"


def mark_in(root: Path, mark: str) -> Path:
    """Where a mark is in a workspace."""
    return root / "locks" / mark


def node_workspace(files: Files) -> tuple[Path, bool]:
    """Where this node makes stages, and whether that is the workspace of the run.

    It is what `LINGOPRESS_WORKSPACE` names on the node, else the workspace of the run where the
    node sees it, else a folder of the user's cache.
    """
    named = os.environ.get(VARIABLE)
    root = home_path(named).absolute() if named else files.root
    if mark_in(root, files.mark).exists():
        return root, True
    if named:
        return root, False
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "lingopress", False


@cache
def versions() -> dict[str, str]:
    """Of Python and of the packages that decide results; `lingopress` is a digest of its files."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2]), "lingopress": _source()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name).partition("+")[0]  # +cpu and +cu128 are one
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def _source() -> str:
    """Ten digits of a digest of our source files."""
    root, digest = Path(__file__).resolve().parents[2], hashlib.sha256()
    for package in _OURS:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def describe(files: Files) -> dict[str, Any]:
    """This node, as plain values."""
    root, shared = node_workspace(files)
    return {
        "host": socket.gethostname(),
        "versions": versions(),
        "workspace": str(root),
        "sees workspace": shared,
        "cache": _cache_problem(files),
    }


def _cache_problem(files: Files) -> str:
    """Why the shared cache cannot be read here; empty where it can, or is not needed."""
    if files.cache is None:
        return ""
    try:
        cache = SharedCache(files.cache)
        with cache.about("cannot be read"):
            there = cache.read(files.in_cache()) is not None
        return "" if there else f"the shared cache {files.cache} is another one there"
    except SharedCacheError as error:
        return str(error).splitlines()[0]


def problems(node: Mapping[str, Any], files: Files) -> list[str]:
    """What keeps a node from making stages of this machine's run; a line each.

    Args:
        node: from `look` on that node.
    """
    host = node["host"]
    if "absent" in node:
        return [
            f"{host}: lingopress is not installed there ({node['absent']})\n"
            "  install the same version on every node, with all it needs: "
            f"{install_command('cluster')}"
        ]
    found = []
    for name, here in versions().items():
        there = node["versions"].get(name, "absent")
        if there != here:
            remedy = (
                "install the same version on every node"
                if name in ("Python", "lingopress")
                else f"pip install {name}=={here}"
            )
            found.append(f"{host}: {name} is {there}, and here it is {here}\n  {remedy}")
    if not node["sees workspace"]:
        if files.cache is None:
            found.append(
                f"{host}: it does not see the workspace {files.root}\n"
                "  give a workspace on a disk that all nodes see: --workspace DIR\n"
                "  or a cache that all nodes reach: --cache ADDRESS"
            )
        elif node["cache"]:
            found.append(f"{host}: {node['cache']}\n  give a cache that all nodes reach")
    return found
