"""Unigram (Kudo 2018), of XLM-R, multilingual E5, BGE-M3 and mDeBERTa.

Text is split into the pieces of the highest sum of scores. Taking away pieces that a text does not
use only takes away competitors, so the text is split as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compress.trim.vocabulary_kind import VocabularyKind


class Unigram(VocabularyKind):
    """A list of pieces and their scores; the place of each is its id."""

    def pieces(self, model: Mapping[str, Any]) -> dict[int, str]:
        """See `VocabularyKind.pieces`."""
        return {id: piece for id, (piece, _) in enumerate(model["vocab"])}

    def scores(self, model: Mapping[str, Any]) -> dict[int, float] | None:
        """See `VocabularyKind.scores`."""
        return {id: score for id, (_, score) in enumerate(model["vocab"])}

    def fixed(self, model: Mapping[str, Any]) -> set[int]:
        """The unknown piece; controls and padding, which score nothing; and the lowest score.

        An unknown character costs a little more than the piece of the lowest score.
        """
        scores = [score for _, score in model["vocab"]]
        kept = {id for id, score in enumerate(scores) if score == 0}
        kept.add(min(range(len(scores)), key=scores.__getitem__))
        return kept if model.get("unk_id") is None else {*kept, model["unk_id"]}

    def cut(self, model: Mapping[str, Any], new: Mapping[int, int]) -> dict[str, Any]:
        """See `VocabularyKind.cut`."""
        vocabulary = [entry for id, entry in enumerate(model["vocab"]) if id in new]
        unknown = model.get("unk_id")
        return {**model, "vocab": vocabulary, "unk_id": None if unknown is None else new[unknown]}


KIND = Unigram()
