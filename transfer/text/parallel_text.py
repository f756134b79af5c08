"""Parallel and one-language text to train encoders on, evaluation text kept out.

>>> text = read(DataSource("xtreme", data), ("de", "sw"), max_pairs=1000)
>>> text.pairs[0]
(0, 'Die erste Zeile', 'The first line')
"""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from evalsuite.data import parallel
from evalsuite.data.heldout import HeldOut
from evalsuite.errors import DataError
from evalsuite.task import DataSource

_ENDS = frozenset('.!?。！？؟।۔…"”»')
_MARKUP = frozenset("%_<>{}=/\\|@#*`")
_LETTERS = 0.88  # share of letters, marks and spaces
_SHORTEST = 8  # characters

Row = tuple[str, ...]  # a foreign and an English side, or a line
Choice = Callable[[Iterable[Row]], Iterator[Row]]


class _WithoutLetters(dict[int, int | None]):
    """A table for `str.translate` that drops letters, marks and spaces; filled when asked."""

    def __missing__(self, character: int) -> int | None:
        letter = unicodedata.category(chr(character))[0] in "LMZ"
        self[character] = None if letter else character
        return self[character]


_WITHOUT_LETTERS = _WithoutLetters()


@dataclass(frozen=True, slots=True)
class Text:
    """Sentence pairs and single lines; the last language is English."""

    languages: tuple[str, ...]  # as sampled from, English last
    pairs: list[tuple[int, str, str]]  # language, foreign, English
    lines: list[tuple[int, str]]  # language, line
    dropped: int  # pairs and lines that were evaluation text

    @property
    def english(self) -> int:
        """Index of English in `languages`."""
        return len(self.languages) - 1


def read(
    source: DataSource,
    languages: Sequence[str] | None,
    max_pairs: int | None = None,
    max_lines: int | None = 0,
    prose: bool = False,
    progress: Callable[[float, str], None] = lambda fraction, text: None,
    only: Choice | None = None,
) -> Text:
    """Text of some languages (None: all there are), in file order.

    Args:
        max_pairs, max_lines: a language, None for all; no single lines unless asked for.
        prose: leave out what is not running text: pairs whose English side does not end as a
            sentence does, or where either side is full of digits or markup, and such lines.
        only: gives those of some pairs, or lines, that are read; the others do not count.

    Raises:
        DataError: there is none.
    """
    codes = languages or parallel.languages(source)
    chosen = (*dict.fromkeys(code for code in codes if code != "en"), "en")
    held = HeldOut.read(source)
    alone = parallel.monolingual_languages(source)
    pairs: list[tuple[int, str, str]] = []
    lines: list[tuple[int, str]] = []
    dropped = 0
    for index, language in enumerate(chosen):
        progress(0.0, f"reading {language}")
        if language != "en":
            rows = ((pair.foreign, pair.english) for pair in parallel.pairs(source, language))
            kept, out = _kept(rows, max_pairs, prose, held, only)
            pairs += [(index, foreign, english) for foreign, english in kept]
            dropped += out
        if language in alone and max_lines != 0:
            singles = ((line,) for line in parallel.monolingual(source, language))
            kept, out = _kept(singles, max_lines, prose, held, only)
            lines += [(index, line) for (line,) in kept]
            dropped += out
    if not pairs:
        raise DataError(_nothing(chosen[:-1], dropped, prose, only is not None))
    return Text(chosen, pairs, lines, dropped)


def pairs_by_language(
    source: DataSource,
    max_pairs: int | None,
    progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each language with its (foreign, English) pairs, as `read` gives them.

    One language's pairs are in memory at a time.

    Raises:
        DataError: there are none in any language.
    """
    held, some, dropped = HeldOut.read(source), False, 0
    languages = parallel.languages(source)
    for language in languages:
        progress(0.0, f"reading {language}")
        rows = ((pair.foreign, pair.english) for pair in parallel.pairs(source, language))
        kept, out = _kept(rows, max_pairs, False, held)
        dropped += out
        if kept:
            some = True
            yield language, [(foreign, english) for foreign, english in kept]
    if not some:
        raise DataError(_nothing(languages, dropped, prose=False))


def lines_of(
    source: DataSource, language: str, others: Sequence[str], most: int | None, held: HeldOut
) -> Iterator[str]:
    """All lines of a language, read as they are asked for: its sides of pairs, then its own text.

    Args:
        others: whose English sides are lines of English; those of one language after the other.
        most: pairs per language, and lines, at most; None for all.
        held: those of them that are left out.
    """
    for other in others if language == "en" else (language,):
        for pair in islice(parallel.pairs(source, other), most):
            if pair.foreign not in held and pair.english not in held:
                yield pair.english if language == "en" else pair.foreign
    if language in parallel.monolingual_languages(source) and most != 0:
        for line in islice(parallel.monolingual(source, language), most):
            if line not in held:
                yield line


def _kept(
    rows: Iterable[Row],
    most: int | None,
    prose: bool,
    held: HeldOut,
    only: Choice | None = None,
) -> tuple[list[Row], int]:
    """Of the first `most` rows (of running text), those not held out; how many were.

    A row ends with its English side, or is a line.
    """
    wanted = (row for row in rows if not prose or (is_prose(row[-1]) and _is_clean(row[0])))
    first = list(islice(only(wanted) if only else wanted, most))
    kept = [row for row in first if not any(side in held for side in row)]
    return kept, len(first) - len(kept)


def _nothing(languages: Sequence[str], dropped: int, prose: bool, short: bool = False) -> str:
    """What an error says where no pair is left."""
    lines = [f"no parallel text to train on in {', '.join(languages) or 'any language'}"]
    if dropped:
        some = "pair is" if dropped == 1 else "pairs are"
        lines.append(f"{dropped:,} {some} text of evaluation files, which no training reads")
    if prose:
        lines.append("prose: true reads sentences only; with prose: false headings and code too")
    if short:
        lines.append("skip_longer: true drops pairs longer than max_length")
    return "\n".join(lines)


def is_prose(line: str) -> bool:
    """Whether a line reads as a sentence: it ends as one, and is nearly all letters.

    >>> is_prose("He went home early."), is_prose("Save _As"), is_prose("Step 7.2: 3% of %s.")
    (True, False, False)
    """
    return line.rstrip()[-1:] in _ENDS and _is_clean(line)


def _is_clean(line: str) -> bool:
    letters = len(line) - len(line.translate(_WITHOUT_LETTERS))
    return len(line) >= _SHORTEST and letters > _LETTERS * len(line) and not _MARKUP & set(line)


def sample(language: Sequence[int], alpha: float, count: int, seed: int) -> list[int]:
    """Draw `count` indices; a language's share is its size to the power alpha, renormalised.

    Within a language every sequence is drawn before any is drawn again.
    """
    if count == 0:
        return []
    groups: dict[int, list[int]] = {}
    for index, value in enumerate(language):
        groups.setdefault(value, []).append(index)
    rng = random.Random(seed)
    keys = sorted(groups)
    streams = {key: _cycle(groups[key], rng) for key in keys}
    weights = [len(groups[key]) ** alpha for key in keys]
    return [next(streams[key]) for key in rng.choices(keys, weights=weights, k=count)]


def ranks(language: Sequence[int]) -> list[int]:
    """How many of its language came before each.

    >>> ranks([0, 1, 0, 0])
    [0, 0, 1, 2]
    """
    counts: Counter[int] = Counter()
    found = []
    for value in language:
        found.append(counts[value])
        counts[value] += 1
    return found


def _cycle(items: list[int], rng: random.Random) -> Iterator[int]:
    while True:
        order = items[:]
        rng.shuffle(order)
        yield from order


class Ragged:
    """Sequences of ids in one array: millions of them take their ids' memory and no more."""

    def __init__(self, sequences: Sequence[Sequence[int]]) -> None:
        self.lengths = np.fromiter((len(s) for s in sequences), dtype=np.int64)
        self._starts = np.concatenate([[0], np.cumsum(self.lengths)])
        self._ids = np.fromiter((i for s in sequences for i in s), dtype=np.int32)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> list[int]:
        ids: list[int] = self._ids[self._starts[index] : self._starts[index + 1]].tolist()
        return ids
