"""Which pieces of a vocabulary are kept.

>>> keep = choose({"de": Counter({7: 900, 8: 99, 9: 1})}, coverage=0.99)
>>> sorted(keep)
[7, 8]
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from compress.trim import tokenizer_parts
from compress.trim.vocabulary_kind import VocabularyKind
from evalsuite.tokenization import unknown_id

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BATCH = 1000
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
_SCRIPT_SHARE = 0.01  # of a language's letters: a script it is written in


def count(
    tokenizer: Tokenizer,
    lines: Iterable[str],
    with_unknown: Callable[[str], object] = lambda line: None,
) -> tuple[Counter[int], Counter[str]]:
    """How often each piece occurs in the lines, by id; and each character.

    Args:
        with_unknown: called with each line that has text without a piece.
    """
    pieces: Counter[int] = Counter()
    characters: Counter[str] = Counter()
    unknown = unknown_id(tokenizer)
    rest = iter(lines)
    while batch := list(islice(rest, _BATCH)):
        for line in batch:
            characters.update(line)
        encodings = tokenizer.encode_batch_fast(batch, add_special_tokens=False)
        for line, encoding in zip(batch, encodings, strict=True):
            pieces.update(encoding.ids)
            if unknown in encoding.ids:
                with_unknown(line)
    return pieces, characters


def choose(
    counts: Mapping[str, Mapping[int, float]],
    *,
    coverage: float = 1.0,
    min_count: int = 1,
    most: int | None = None,
) -> set[int]:
    """The most frequent pieces of each language that make up `coverage` of what occurs in its text.

    Args:
        counts: occurrences by language and piece, or what stands for them.
        coverage: share of occurrences, 0 to 1; 1 keeps all that occur.
        min_count: pieces rarer than that in a language are not kept for its sake.
        most: pieces at most; with fewer, every language keeps a smaller share, the same for all.
    """
    needed: dict[int, float] = {}  # the largest coverage at which a piece is still left out
    for own in counts.values():
        total = sum(own.values())
        reached = 0.0
        for piece, times in sorted(own.items(), key=lambda item: (-item[1], item[0])):
            if reached >= coverage * total or times < min_count:
                break
            needed[piece] = min(needed.get(piece, 1.0), reached / total)
            reached += times
    if most is None or len(needed) <= most:
        return set(needed)
    return set(sorted(needed, key=lambda piece: (needed[piece], piece))[: max(0, most)])


def scripts(characters: Counter[str]) -> set[str]:
    """Scripts of at least one letter in a hundred, as the first words of Unicode names."""
    found: Counter[str] = Counter()
    for character, times in characters.items():
        if unicodedata.category(character)[0] == "L":
            found[script(character)] += times
    return {name for name, times in found.items() if times >= _SCRIPT_SHARE * found.total()}


def script(character: str) -> str:
    """`LATIN`, `CJK`, `HANGUL`; empty for a character without a name."""
    return unicodedata.name(character, "").split(" ")[0]


def always(kind: VocabularyKind, tree: Mapping[str, Any], written_in: set[str]) -> set[int]:
    """Ids no text decides over: special tokens, bytes, and single characters.

    Of these all that are no letters, and all letters of the scripts: a text of a kept language
    then meets no unknown character for being other than the text that was counted.

    Args:
        tree: what `tokenizer.json` holds.
    """
    model = tree["model"]
    kept = kind.fixed(model) | tokenizer_parts.named_ids(tree)
    of_bytes = tokenizer_parts.has_byte_level(tree)  # characters stand for bytes
    for id, piece in kind.pieces(model).items():
        plain = kind.bare(model, piece)
        if _BYTE.fullmatch(piece) or not plain:
            kept.add(id)
        elif len(plain) == 1:
            own = script(plain) if unicodedata.category(plain)[0] in "LM" else ""
            if of_bytes or own in ("", "COMBINING") or own in written_in:
                kept.add(id)
    return kept
