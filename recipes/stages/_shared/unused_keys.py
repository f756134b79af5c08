"""Keys that a recipe writes where they change nothing.

>>> why = "with mlm: 0 no masked text is read"
>>> unused(config, ("mlm_languages", "mlm_lines"), why, "set mlm", off=config.mlm == 0)
['mlm_languages: with mlm: 0 no masked text is read; remove it, or set mlm']
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel


def written(config: BaseModel, keys: Iterable[str]) -> list[str]:
    """Those of the keys that a recipe sets to something else than their defaults."""
    fields = type(config).model_fields
    return [key for key in keys if getattr(config, key) != fields[key].default]


def unused(
    config: BaseModel, keys: Iterable[str], because: str, remedy: str, *, off: bool
) -> list[str]:
    """One problem that names those of the keys that are written; none where none is.

    Args:
        because: why they change nothing here.
        remedy: what to do other than to remove them; empty where there is nothing else.
        off: whether they change nothing.
    """
    found = written(config, keys) if off else []
    if not found:
        return []
    them = "it" if len(found) == 1 else "them"
    other = f", or {remedy}" if remedy else ""
    return [f"{', '.join(found)}: {because}; remove {them}{other}"]
