"""The kinds of vocabulary: one file per kind in `compress/trim/kinds/`.

>>> KINDS.names()
('bpe', 'unigram', 'wordpiece')
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from compress.errors import TrimError
from compress.trim.vocabulary_kind import VocabularyKind
from evalsuite.catalog import Catalogue

if TYPE_CHECKING:
    from tokenizers import Tokenizer

KINDS: Catalogue[VocabularyKind] = Catalogue(
    "compress.trim.kinds", "kind of vocabulary", attribute="KIND"
)


def kind_of(tokenizer: Tokenizer) -> VocabularyKind:
    """The kind of a tokenizer's vocabulary.

    Raises:
        TrimError: no file describes it.
    """
    name = type(tokenizer.model).__name__
    if name.lower() not in KINDS.names():
        raise TrimError(
            f"the tokenizer is a {name} model; trim cuts vocabularies of these kinds: "
            f"{', '.join(KINDS.names())}"
        )
    return KINDS.get(name.lower())
