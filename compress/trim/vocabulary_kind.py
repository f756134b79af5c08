"""What a kind of vocabulary is: how pieces are taken out of it, so that others still split text.

>>> kind = KINDS.get("wordpiece")
>>> kind.pieces({"vocab": {"[UNK]": 0, "ein": 1, "##e": 2}})
{0: '[UNK]', 1: 'ein', 2: '##e'}

`model` is always the part of that name in `tokenizer.json`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

START = "▁"  # SentencePiece's mark of the start of a word


class VocabularyKind:
    """One kind; as it stands here, a vocabulary written as a mapping from pieces to ids."""

    def pieces(self, model: Mapping[str, Any]) -> dict[int, str]:
        """Id -> piece, in the order of the ids."""
        return {id: piece for piece, id in sorted(model["vocab"].items(), key=lambda item: item[1])}

    def scores(self, model: Mapping[str, Any]) -> dict[int, float] | None:
        """Id -> log probability of the piece, by the vocabulary; None where it has none."""
        return None

    def bare(self, model: Mapping[str, Any], piece: str) -> str:
        """A piece without the mark that starts a word, or goes on with one."""
        return piece.removeprefix(START)

    def fixed(self, model: Mapping[str, Any]) -> set[int]:
        """Ids of pieces without which the model does not work: that of unknown text first of all.

        Raises:
            TrimError: the model is of a form that is not known here.
        """
        unknown = model.get("unk_token")
        return {model["vocab"][unknown]} if unknown in model["vocab"] else set()

    def parts(self, model: Mapping[str, Any], keep: Collection[int]) -> set[int]:
        """Ids of the pieces that those kept are made of."""
        return set()

    def deciding(self, tokenizer: Tokenizer, model: Mapping[str, Any], line: str) -> Iterable[int]:
        """Ids of pieces that decide how a line with unknown text is split, and are not in it."""
        return ()

    def cut(self, model: Mapping[str, Any], new: Mapping[int, int]) -> dict[str, Any]:
        """The model with some pieces alone.

        Args:
            new: new id of each piece, from 0 without a gap, by the old one.
        """
        kept = {piece: new[id] for id, piece in self.pieces(model).items() if id in new}
        return {**model, "vocab": kept}
