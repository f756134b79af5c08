"""Whether texts are English, by its most frequent words: for files whose names do not say it.

>>> is_english(["The rain in Spain stays in the plain."]), is_english(["Der Regen bleibt."])
(True, False)
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORDS = frozenset(
    [
        "the",
        "and",
        "of",
        "to",
        "is",
        "it",
        "you",
        "that",
        "for",
        "with",
        "this",
        "are",
        "be",
        "have",
        "not",
        "what",
    ]
)
_SHARE = 0.08  # of all words; English texts have a fifth, those of other languages a few percent


def is_english(texts: Iterable[str]) -> bool:
    """Whether enough of the words are the frequent ones of English."""
    words = [word for text in texts for word in re.findall(r"[^\W\d_]+", text.lower())]
    return bool(words) and sum(word in _WORDS for word in words) > _SHARE * len(words)
