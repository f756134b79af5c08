"""How a vocabulary treats the words of each language.

>>> count(tokenizer, [("Karibu", "tena")]).subwords_a_word
1.5

Fertility is subwords a word; a split word is one of two or more (Rust et al. 2021, section 3.1).
Words are those of a tagging task, so that languages written without spaces have some too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalsuite.results.fertility import Fertility
from evalsuite.tokenization import unknown_id

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def count(tokenizer: Tokenizer, sentences: Sequence[Sequence[str]]) -> Fertility:
    """Subwords, split words and words with an unknown piece, over sentences split in words."""
    unknown_piece = unknown_id(tokenizer)
    words = subwords = split = unknown = 0
    rows = [list(sentence) for sentence in sentences]
    encodings = tokenizer.encode_batch(rows, is_pretokenized=True, add_special_tokens=False)
    for row, encoding in zip(rows, encodings, strict=True):
        pieces = Counter(word for word in encoding.word_ids if word is not None)
        strange = {
            word
            for word, piece in zip(encoding.word_ids, encoding.ids, strict=True)
            if word is not None and piece == unknown_piece
        }
        words += len(row)
        subwords += pieces.total()
        split += sum(number > 1 for number in pieces.values())
        unknown += len(strange)
    return Fertility(words=words, subwords=subwords, split=split, unknown=unknown)
