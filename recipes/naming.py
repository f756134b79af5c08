"""Names of files: made from labels of stages and names of recipes, or typed by a person."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

LONGEST = 180  # bytes of a name; disks allow 255, and some of our files add to it


def file_name(label: str) -> str:
    """A label as the name of one file or folder, on every system.

    Characters that a name cannot hold become `_`, also the dot at the start: `..` and `a/../b` are
    names like any other and never lead to another folder. Of a name that is too long for a disk the
    start is kept, and a digest tells it from others.

    >>> file_name("teacher[task=xnli]"), file_name("org/name"), file_name("..")
    ('teacher[task=xnli]', 'org_name', '_.')
    """
    name = _readable(label)
    return name if len(name.encode()) <= LONGEST else _with_digest(name, label)


def distinct_file_name(label: str) -> str:
    """The same with a digest where a character was replaced: two labels never have one name.

    >>> distinct_file_name("r_5"), distinct_file_name("r 5")
    ('r_5', 'r_5-37ff5141cecb')
    """
    name = _readable(label)
    same = name == label and len(name.encode()) <= LONGEST
    return name if same else _with_digest(name, label)


def _readable(label: str) -> str:
    return re.sub(r"^\.|[^\w.=,\[\]+-]", "_", label) or "_"


def _with_digest(name: str, label: str) -> str:
    short = name.encode()[: LONGEST - 13].decode(errors="ignore")
    return f"{short}-{hashlib.sha256(label.encode()).hexdigest()[:12]}"


def file_names(labels: Iterable[str]) -> dict[str, str]:
    """Label -> its `file_name`; of labels that would have the same one, the later with a digest.

    >>> file_names(["./a/b", "./a_b"])
    {'./a/b': '__a_b', './a_b': '__a_b-3953d1eb0ad8'}
    """
    found: dict[str, str] = {}
    for label in dict.fromkeys(labels):
        name = file_name(label)
        found[label] = _with_digest(name, label) if name in found.values() else name
    return found


def is_file(path: Path) -> bool:
    """Whether there is such a file; a path that no disk can hold is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
