"""What a declaration has to say of a data set of the hub.

>>> list(wrong(Declaration.model_construct(format="pair", hub="org/name", test={"sw": "swh"})))
['hub: name the commit too, org/name@<40 digits>, so that the rows stay the same', ...]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

PINNED = re.compile(r"(?P<repo>\w[\w.-]*/\w[\w.-]*)@(?P<commit>[0-9a-f]{40})")


def wrong(declaration: Any) -> Iterator[str]:
    """What is wrong with a `Declaration`; nothing is read."""
    if declaration.hub is None:
        if declaration.splits:
            yield "splits: files have no names of splits; this key goes with hub"
        return
    if not PINNED.fullmatch(declaration.hub):
        yield "hub: name the commit too, org/name@<40 digits>, so that the rows stay the same"
    if declaration.format == "retrieval":
        yield "hub: a retrieval task is read from files alone"
    if declaration.labels is None and not hasattr(declaration.rules, "FIXED"):
        yield "labels: list them; a data set of the hub is not read before the run"
    for split in ("train", "dev", "test"):
        given = getattr(declaration, split)
        named = isinstance(given, dict) and all(isinstance(name, str) for name in given.values())
        if given is not None and not named:
            yield f"{split}: with hub, give the configuration of each language: {{en: eng_Latn}}"
    for role in declaration.roles:
        columns = declaration.columns_of(role) or (declaration.column(role),)
        if any(isinstance(column, int) for column in columns):
            yield f"columns: columns of the hub have names; give that of {role}"
