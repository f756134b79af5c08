"""WordPiece (Schuster & Nakajima 2012), of multilingual BERT, DistilBERT and LaBSE.

A word is split into the longest piece it starts with, then into the longest that goes on from
there; a word where that fails is unknown as a whole. Without pieces that a text does not use the
longest are the same. An unknown word could become known, when a piece that led to the failure is
gone; `deciding` names these pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from compress.trim.vocabulary_kind import VocabularyKind

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class WordPiece(VocabularyKind):
    """Pieces that go on with a word have a mark in front, `##`."""

    def bare(self, model: Mapping[str, Any], piece: str) -> str:
        """See `VocabularyKind.bare`."""
        return piece.removeprefix(_mark(model))

    def deciding(self, tokenizer: Tokenizer, model: Mapping[str, Any], line: str) -> Iterable[int]:
        """The pieces that the unknown words of a line start with."""
        if tokenizer.normalizer is not None:
            line = tokenizer.normalizer.normalize_str(line)
        words = [line]
        if tokenizer.pre_tokenizer is not None:
            words = [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(line)]
        for word in words:
            found, whole = _longest_first(model, word)
            if not whole:
                yield from found


def _mark(model: Mapping[str, Any]) -> str:
    mark: str = model["continuing_subword_prefix"]
    return mark


def _longest_first(model: Mapping[str, Any], word: str) -> tuple[list[int], bool]:
    """Ids of the pieces a word is split into as far as that goes, and whether it is to the end."""
    vocabulary, mark = model["vocab"], _mark(model)
    found: list[int] = []
    start = 0
    while start < len(word):
        prefix = mark if start else ""
        ends = (
            end for end in range(len(word), start, -1) if prefix + word[start:end] in vocabulary
        )
        end = next(ends, None)
        if end is None:
            return found, False
        found.append(vocabulary[prefix + word[start:end]])
        start = end
    return found, True


KIND = WordPiece()
