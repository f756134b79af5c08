"""Names of files that are made from labels of stages and from names of recipes."""

from __future__ import annotations

import re


def file_name(label: str) -> str:
    """A label as the name of one file or folder, on every system.

    Characters that a name cannot hold become `_`, also the dot at the start: `..` and `a/../b` are
    names like any other and never lead to another folder.

    >>> file_name("teacher[task=xnli]"), file_name("org/name"), file_name("..")
    ('teacher[task=xnli]', 'org_name', '_.')
    """
    return re.sub(r"^\.|[^\w.=,\[\]+-]", "_", label)
