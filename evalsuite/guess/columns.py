"""What the values of a column look like: texts, labels, scores, numbers of rows, languages.

>>> look([("category", ["sports", "travel", "sports", "travel"])])[0].kind
'labels'
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evalsuite.guess import column_names
from evalsuite.guess.language_codes import language_of_value
from evalsuite.guess.several import has_several
from evalsuite.languages import SOURCE_LANGUAGE
from evalsuite.own.records import Column
from evalsuite.own.split_names import SPLITS
from evalsuite.task import Split

Kind = Literal[
    "text", "labels", "several", "scores", "flags", "ids", "languages", "splits", "empty", "other"
]
MOST_LABELS = 200
_FLAGS = frozenset(("0", "1", "true", "false", "0.0", "1.0"))
_ID_NAMES = re.compile(r"(?:.*[_ -])?(?:id|ids|index|idx|guid|uid|uuid|nr|no)", re.IGNORECASE)


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
        key = "(no name)" if self.key == "" else self.key
        return f"{key} ({self.kind}: {shown})" if few else f"{key} ({self.kind})"


def look(columns: Sequence[tuple[Column, Sequence[str]]]) -> tuple[Looked, ...]:
    """Columns of a table with what they look like."""
    names = {str(key).lower() for key, _ in columns}
    found = []
    for key, values in columns:
        name = str(key).lower()
        filled = [value.strip() for value in values if value.strip()]
        kind: Kind
        if not filled:
            kind = "empty"
        elif _has_languages(name, filled, names):
            kind = "languages"
        elif _has_splits(name, filled, names):
            kind = "splits"
        else:
            kind = _kind(name, filled)
        found.append(Looked(key, tuple(values), kind))
    return tuple(found)


def split_of(written: str) -> Split | None:
    """The split that a value of a column names."""
    return SPLITS.get(written.strip().lower())


def is_number(value: str) -> bool:
    """Whether a text is a number, as files write them."""
    return re.fullmatch(r"[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?", value.strip()) is not None


def _has_languages(name: str, filled: Sequence[str], names: set[str]) -> bool:
    """Whether a column is called a language, or there is none and all values are languages.

    English has to be one of them, unless the name has such a word in it: `de`, `fr` and `it` may be
    countries too.
    """
    if not names.isdisjoint(column_names.LANGUAGES) or name in column_names.NO_LANGUAGES:
        return name in column_names.LANGUAGES
    written = set(filled)
    codes = [code for value in written if (code := language_of_value(value))]
    if len(codes) < len(written):
        return False
    if not set(re.split(r"[\W_]+", name)).isdisjoint(column_names.LANGUAGES):
        return True
    english = any(re.split("[-_]", code)[0] == SOURCE_LANGUAGE for code in codes)
    return english and 1 < len(written) < len(filled) / 2


def _has_splits(name: str, filled: Sequence[str], names: set[str]) -> bool:
    """Whether a column is called a split, or there is none and all values are splits."""
    if not names.isdisjoint(column_names.SPLITS) or name in column_names.LABELS:
        return name in column_names.SPLITS
    found = {split_of(value) for value in filled}
    if name in column_names.ALSO_SPLITS:
        return found != {None}
    return None not in found and len(found) > 1


def _kind(name: str, filled: Sequence[str]) -> Kind:
    counts = Counter(filled)
    once = len(counts) == len(filled) > 2
    if _ID_NAMES.fullmatch(name) and (once or len(counts) > MOST_LABELS):
        return "ids"
    if name in column_names.EMPTY and all(map(is_number, counts)):
        return "ids"
    if name in column_names.SEVERAL and has_several(filled):
        return "several"
    if {value.lower() for value in counts} <= _FLAGS:
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
