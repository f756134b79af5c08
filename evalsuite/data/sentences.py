"""Contexts of question answering cut into sentences.

>>> [text for text in cut("He came. She left!", breaks("He came. She left!"))]
['He came.', 'She left!']
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_BREAK = re.compile(r"(?:[.!?۔؟।][\"'”»)\]]*\s+|[。！？]+\s*)(?=\S)")

Breaks = Sequence[tuple[int, int]]


def breaks(context: str) -> list[tuple[int, int]]:
    """First and last + 1 character of each sentence, guessed from punctuation."""
    ends = [match.end() for match in _BREAK.finditer(context)]
    starts = [0, *ends]
    found = []
    for start, end in zip(starts, [*ends, len(context)], strict=True):
        stop = start + len(context[start:end].rstrip())
        if stop > start:
            found.append((start, stop))
    return found


def cut(context: str, where: Breaks) -> list[str]:
    """The sentences themselves."""
    return [context[start:end] for start, end in where]


def holding(where: Breaks, position: int) -> int | None:
    """Which sentence a character is in; None between sentences."""
    return next((n for n, (start, end) in enumerate(where) if start <= position < end), None)


def in_context(sentence: str, context: str) -> str:
    """A candidate: the sentence, then all of its context, as the benchmark joins them."""
    return (sentence + context).replace("\n", "")
