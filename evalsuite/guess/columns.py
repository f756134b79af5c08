"""What the values of a column look like: texts, labels, scores, numbers of rows, languages.

>>> look("category", ["sports", "travel", "sports", "travel"]).kind
'labels'
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evalsuite.guess.language_codes import language_of
from evalsuite.own.records import Column
from evalsuite.task import Split

Kind = Literal["text", "labels", "scores", "flags", "ids", "languages", "splits", "empty", "other"]
MOST_LABELS = 200
_FLAGS = frozenset(("0", "1", "true", "false", "True", "False", "0.0", "1.0"))
_LANGUAGE_NAMES = frozenset(("lang", "language", "locale", "lng", "langue", "sprache", "idioma"))
_SPLIT_NAMES = frozenset(("split", "partition", "fold", "set", "subset"))
_ID_NAMES = re.compile(r"(?:.*[_ -])?(?:id|ids|index|idx|guid|uid|uuid|nr|no)", re.IGNORECASE)
_SPLIT_VALUES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    **dict.fromkeys(("dev", "val", "valid", "validation"), "dev"),
    "test": "test",
}


@dataclass(frozen=True, slots=True)
class Looked:
    """A column of a table.

    Attributes:
        key: its name, or its number from 1 where the file names none.
        values: of the rows that were read.
        kind: what they look like.
    """

    key: Column
    values: tuple[str, ...]
    kind: Kind

    @property
    def name(self) -> str:
        """Its name in small letters; empty where it has none."""
        return self.key.lower() if isinstance(self.key, str) else ""

    def described(self) -> str:
        """For messages: `category (labels: sports, travel, ...)`."""
        few = list(dict.fromkeys(value for value in self.values if value.strip()))
        shown = ", ".join(repr(value[:30]) for value in few[:3]) + (", ..." if few[3:] else "")
        return f"{self.key} ({self.kind}: {shown})" if few else f"{self.key} ({self.kind})"


def look(key: Column, values: Sequence[str]) -> Looked:
    """A column with what it looks like."""
    return Looked(key, tuple(values), _kind(str(key), values))


def split_of(written: str) -> Split | None:
    """The split that a value of a column names."""
    return _SPLIT_VALUES.get(written.strip().lower())


def is_number(value: str) -> bool:
    """Whether a text is a number, as files write them."""
    return re.fullmatch(r"[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?", value.strip()) is not None


def _kind(name: str, values: Sequence[str]) -> Kind:
    filled = [value.strip() for value in values if value.strip()]
    if not filled:
        return "empty"
    counts = Counter(filled)
    lower = name.lower()
    languages = all(language_of(value) for value in counts)
    if languages and (lower in _LANGUAGE_NAMES or 1 < len(counts) < len(filled) / 2):
        return "languages"
    if all(map(split_of, counts)) and (lower in _SPLIT_NAMES or len(counts) > 1):
        return "splits"
    once = len(counts) == len(filled) > 2
    if _ID_NAMES.fullmatch(lower) and (once or len(counts) > MOST_LABELS):
        return "ids"
    if set(counts) <= _FLAGS:
        return "flags"
    if all(map(is_number, counts)):
        return _kind_of_numbers(filled, counts, once)
    if once and not any(" " in value for value in counts) and _are_alike(list(counts)):
        return "ids"
    long = sum(map(len, filled)) / len(filled)
    repeated = len(counts) <= max(2, len(filled) // 2)
    if repeated and len(counts) <= MOST_LABELS and long <= 40:
        return "labels"
    return "text" if long > 3 else "other"


def _kind_of_numbers(filled: Sequence[str], counts: Counter[str], once: bool) -> Kind:
    whole = all(re.fullmatch(r"[-+]?\d+", value) for value in counts)
    if whole and len(counts) <= max(2, len(filled) // 2) and len(counts) <= 20:
        return "labels"
    return "ids" if whole and once else "scores"


def _are_alike(values: Sequence[str]) -> bool:
    """Whether values are names of one make, such as `eng_train_00001`: ASCII, with digits."""
    return all(value.isascii() and any(map(str.isdigit, value)) for value in values)
