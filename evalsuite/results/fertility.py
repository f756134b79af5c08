"""How the vocabulary of a model splits words."""

from __future__ import annotations

from evalsuite.results.numbers import Count
from evalsuite.results.record import Record
from evalsuite.task import SourceKind


class Fertility(Record):
    """How a vocabulary splits the words of one language; counts."""

    words: Count
    subwords: Count
    split: Count  # words of two or more subwords
    unknown: Count  # words with an unknown piece

    @property
    def subwords_a_word(self) -> float:
        """0 where there are no words."""
        return self.subwords / self.words if self.words else 0.0


class FertilityResult(Record):
    """How the vocabulary of one model splits words."""

    label: str  # of the model
    tokenizer_digest: str
    text: str  # "udpos test, first 500 sentences"
    source: SourceKind
    data_digest: str
    languages: dict[str, Fertility]
