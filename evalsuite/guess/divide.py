"""Rows divided into training, development and test rows, the same ones each time.

>>> {split: len(rows) for split, rows in divide(["a", "b", ...], ["x", "y", ...]).items()}
{'train': 800, 'dev': 100, 'test': 100}

Of each label a tenth of the texts is for development and a tenth for tests. Labels with too few
texts for that keep one text each for training, and their other texts are divided as those of one
label. Rows with the same text are in the same part. A row's place follows from its text and the
seed, not from the order of rows.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from evalsuite.task import Split

SEED = 1
SHARE = 0.1  # of the rows for development, and for tests
LEAST = 50  # rows; with fewer, a test says nothing


def divide(texts: Sequence[str], labels: Sequence[str]) -> dict[Split, list[int]]:
    """Places of the rows of each part, in their order."""
    rows: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        rows[text.strip().casefold()].append(number)
    by_label: dict[str, list[str]] = defaultdict(list)
    for text, places in rows.items():
        by_label[labels[places[0]]].append(text)

    def place(text: str) -> bytes:
        return hashlib.sha256(f"{SEED} {text}".encode()).digest()

    found: dict[Split, list[int]] = {"train": [], "dev": [], "test": []}
    rare: list[str] = []
    for own in by_label.values():
        own.sort(key=place)
        if round(SHARE * len(own)):
            _add(own, rows, found)
        else:
            found["train"] += rows[own[0]]
            rare += own[1:]
    rare.sort(key=place)
    _add(rare, rows, found)
    return {split: sorted(places) for split, places in found.items()}


def _add(
    texts: Sequence[str], rows: Mapping[str, Sequence[int]], found: dict[Split, list[int]]
) -> None:
    """Divide texts that are in order."""
    some = round(SHARE * len(texts))
    for number, text in enumerate(texts):
        split: Split = "test" if number < some else "dev" if number < 2 * some else "train"
        found[split] += rows[text]
