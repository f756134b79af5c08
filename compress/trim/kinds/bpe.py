"""Byte-pair encoding (Sennrich et al. 2016), of RoBERTa, ModernBERT, mmBERT and granite.

A word starts as characters or bytes, and the pair that comes first in the list of merges is joined
until none is left. A piece in a text is always joined in the same steps, because no step crosses
its border. So where the pieces of these steps are kept, with the merges among them in their old
order, the text is split as before: what is gone would not have been joined in it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

from compress.errors import TrimError
from compress.trim.vocabulary_kind import VocabularyKind

Pair = tuple[str, str]
_SYMBOL = re.compile(
    r"<0x[0-9A-F]{2}>|.", re.DOTALL
)  # a byte of an unknown character, or one known


class BytePair(VocabularyKind):
    """Pieces, and merges of two of them into a third."""

    def fixed(self, model: Mapping[str, Any]) -> set[int]:
        """See `VocabularyKind.fixed`."""
        for key in ("continuing_subword_prefix", "end_of_word_suffix"):
            if model.get(key):
                raise TrimError(
                    f"the tokenizer is a BPE model with {key} {model[key]!r}; trim cuts those "
                    "that mark no ends of words, such as RoBERTa's and mmBERT's"
                )
        return super().fixed(model)

    def parts(self, model: Mapping[str, Any], keep: Collection[int]) -> set[int]:
        """The pieces of every step from characters to the kept pieces."""
        vocabulary = model["vocab"]
        ranks = {pair: rank for rank, pair in enumerate(map(_pair, model["merges"]))}
        pieces = self.pieces(model)
        found: set[int] = set()
        for id in keep:
            for part in _steps(pieces.get(id, ""), ranks):
                if part in vocabulary:
                    found.add(vocabulary[part])
        return found

    def cut(self, model: Mapping[str, Any], new: Mapping[int, int]) -> dict[str, Any]:
        """See `VocabularyKind.cut`; with the merges among the pieces that stay."""
        smaller = super().cut(model, new)
        kept = smaller["vocab"]
        merges = [
            merge
            for merge in model["merges"]
            for left, right in (_pair(merge),)
            if left in kept and right in kept and left + right in kept
        ]
        return {**smaller, "merges": merges}


def _pair(merge: str | Sequence[str]) -> Pair:
    """Both sides of a merge: older files write them as one text with a space between."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _steps(piece: str, ranks: Mapping[Pair, int]) -> list[str]:
    """The characters of a piece, and all that is joined on the way to it.

    >>> _steps("hug", {("u", "g"): 0, ("h", "ug"): 1})
    ['h', 'u', 'g', 'ug', 'hug']
    """
    symbols = _SYMBOL.findall(piece)
    found = list(symbols)
    while len(symbols) > 1:
        last = len(ranks)
        ordered = [(ranks.get(pair, last), place) for place, pair in enumerate(pairwise(symbols))]
        rank, place = min(ordered)
        if rank == last:
            break
        symbols[place : place + 2] = [symbols[place] + symbols[place + 1]]
        found.append(symbols[place])
    return found


KIND = BytePair()
