"""A dictionary read off parallel text: one translation a word and language.

>>> words = build(DataSource("xtreme", Path("data/xtreme")))
>>> words["de"]["sheep"]
'schafe'

A word and its translation are each other's best by phi-squared over sentence pairs (Gale & Church
1991; mutual best as in competitive linking, Melamed 2000). Words are what lies between spaces, in
small letters, without punctuation at their ends; languages written without spaces have none.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import sparse

from evalsuite.languages import without_region
from evalsuite.task import DataSource
from transfer.text import parallel_text
from transfer.text.lexical_init import phi_squared

Dictionary = Mapping[str, Mapping[str, str]]  # language -> English word -> its translation

MAX_PAIRS = 40_000  # a language
_LEAST = 0.05  # phi-squared; most of what lies below is chance
_SPACELESS = frozenset({"ja", "km", "lo", "my", "th", "wuu", "yue", "zh"})


def build(
    source: DataSource,
    max_pairs: int | None = MAX_PAIRS,
    progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> Dictionary:
    """Every language with a word that has a translation, evaluation text left out.

    Raises:
        DataError: there is no parallel text.
    """
    found = {}
    for name, pairs in parallel_text.pairs_by_language(source, max_pairs, progress):
        progress(0.0, f"dictionary, {name}")
        if has_spaces(name):
            foreign, english = zip(*pairs, strict=True)
            if known := translations(english, foreign):
                found[name] = known
    return found


def has_spaces(language: str) -> bool:
    """Whether a language, such as `de`, `zh-tw` or `zh_TW`, has spaces between words."""
    return without_region(language).split("-")[0] not in _SPACELESS


def translations(english: Sequence[str], foreign: Sequence[str]) -> dict[str, str]:
    """English word -> foreign word, from lines that translate each other.

    A word spelt alike in both is left out, as is one that occurs once.
    """
    known: dict[str, str] = {}
    sides = [[_words(line, known) for line in lines] for lines in (english, foreign)]
    rows, columns = (_index(side) for side in sides)
    first, second = _incidence(sides[0], rows), _incidence(sides[1], columns)
    together = (first.T @ second).tocoo()
    in_first = np.asarray(first.sum(0)).ravel()[together.row]
    in_second = np.asarray(second.sum(0)).ravel()[together.col]
    scores = phi_squared(together.data, in_first, in_second, len(english))
    kept = (together.data > 1) & (scores > _LEAST)
    row, column, score = together.row[kept], together.col[kept], scores[kept]
    translation, original = _best(row, column, score), _best(column, row, score)
    names, others = list(rows), list(columns)
    return {
        names[i]: others[j]
        for i, j in sorted(translation.items())
        if original[j] == i and names[i] != others[j]
    }


def bare(word: str) -> tuple[str, str, str]:
    """A word without what clings to it: (before, the word, after).

    >>> bare("(Rome),")
    ('(', 'Rome', '),')
    """
    first, last = 0, len(word)
    while first < last and _clings(word[first]):
        first += 1
    while last > first and _clings(word[last - 1]):
        last -= 1
    return word[:first], word[first:last], word[last:]


def core(word: str) -> str:
    """A word without what clings to it; empty where it has no letter.

    >>> core("(Rome),"), core("1999.")
    ('Rome', '')
    """
    found = bare(word)[1]
    return found if any(character.isalpha() for character in found) else ""


def _clings(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def _words(line: str, known: dict[str, str]) -> set[str]:
    """The bare words of a line; `known` remembers those seen, "" where one has no letter."""
    found = set()
    for word in line.lower().split():
        if word not in known:
            known[word] = core(word)
        found.add(known[word])
    found.discard("")
    return found


def _index(lines: Sequence[set[str]]) -> dict[str, int]:
    """Words of more than one line -> their columns."""
    counts = Counter(word for line in lines for word in line)
    return {word: i for i, word in enumerate(sorted(w for w, n in counts.items() if n > 1))}


def _incidence(lines: Sequence[set[str]], index: Mapping[str, int]) -> sparse.csr_matrix:
    """`[lines, words]`, 1 where the line has the word."""
    columns = [sorted(index[word] for word in line if word in index) for line in lines]
    starts = np.concatenate([[0], np.cumsum([len(ids) for ids in columns])])
    flat = np.array([i for ids in columns for i in ids], dtype=np.int64)
    values = np.ones(len(flat), dtype=np.float32)
    return sparse.csr_matrix((values, flat, starts), shape=(len(lines), len(index)))


def _best(keys: np.ndarray, values: np.ndarray, scores: np.ndarray) -> dict[int, int]:
    """Each key's value of the highest score, the lower one where two are equal."""
    order = np.lexsort((values, -scores, keys))
    _, first = np.unique(keys[order], return_index=True)
    chosen = order[first]
    return dict(zip(keys[chosen].tolist(), values[chosen].tolist(), strict=True))
