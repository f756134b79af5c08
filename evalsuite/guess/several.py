"""Several labels in one field: whether a column has them, the names in its fields, the rarest.

>>> has_several(["joy|fear", "joy", "fear|anger", "anger"])
True
>>> has_several(["Food, drink", "Travel", "Arts, crafts"])  # labels with a comma in them
False

Names are read as `evalsuite.own.formats._several` reads them: a JSON list, or names between the
first of the marks that any field has.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from evalsuite.own.formats._several import MARKS

_RECUR = 2 / 3  # more than this share of the joined names is in two different fields or more


def has_several(values: Sequence[str]) -> bool:
    """Whether values are lists, or names joined by a mark that come in several combinations."""
    filled = list({value.strip() for value in values if value.strip()})
    names = names_in(filled)
    if filled and all(value.startswith("[") and value.endswith("]") for value in filled):
        # The tags of a sentence's words are lists too, in which a tag comes several times.
        return all(len(set(own)) == len(own) for own in names)
    fields = Counter(name for own in names for name in set(own))
    joined = {name for own in names if len(own) > 1 for name in own}
    return sum(fields[name] > 1 for name in joined) > _RECUR * len(joined)


def names_in(values: Sequence[str]) -> list[list[str]]:
    """The names in each field of a column; none of what cannot be read."""
    values = [value.strip() for value in values]
    plain = [value for value in values if not value.startswith("[")]
    mark = next((mark for mark in MARKS if any(mark in value for value in plain)), None)
    return [
        _listed(value)
        if value.startswith("[")
        else [name.strip() for name in (value.split(mark) if mark else [value]) if name.strip()]
        for value in values
    ]


def rarest(values: Sequence[str]) -> list[str]:
    """The name in each field that the fewest fields have; an empty text where there is none."""
    names = names_in(values)
    counts = Counter(name for own in names for name in own)
    return [min(own, key=lambda name: (counts[name], name), default="") for own in names]


def _listed(written: str) -> list[str]:
    try:
        found = json.loads(written)
    except ValueError:
        return []
    return [str(name) for name in found] if isinstance(found, list) else []
