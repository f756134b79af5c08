"""What `plan` knows of the text that a stage reads: how many rows, and how long they are.

>>> rows = Rows({"en": (12, 9, 31)}, {"en": 2490}, reading=0.1, tokenizing=0.2)
>>> rows.total, rows.batch_length(batch_size=2)
(2490, 24)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from evalsuite.inference.batching import ON_CPU, by_tokens

if TYPE_CHECKING:
    from recipes.stages._shared.planned_model import PlannedModel

_BATCHES = 64  # batches whose length is looked at


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as a model reads them.

    Attributes:
        lengths: tokens of some of the sequences, by language.
        counts: sequences, by language.
        reading, tokenizing: seconds, of all of them.
        per_row: sequences per row, which a batch counts; more than 1 for choices.
    """

    lengths: Mapping[str, Sequence[int]]
    counts: Mapping[str, int]
    reading: float
    tokenizing: float
    per_row: float = 1.0

    @property
    def seconds(self) -> float:
        """Of reading and tokenizing."""
        return self.reading + self.tokenizing

    @property
    def total(self) -> int:
        """Sequences of all languages."""
        return sum(self.counts.values())

    @property
    def mean_length(self) -> float:
        """Tokens of a sequence, without padding."""
        lengths = [length for some in self.lengths.values() for length in some]
        return sum(lengths) / len(lengths)

    @property
    def longest(self) -> int:
        """Tokens of the longest of those that were looked at."""
        return max(max(lengths) for lengths in self.lengths.values())

    def shorter_than(self, longest: int) -> Rows:
        """Without lengths of `longest` tokens and more; a language with no other keeps all."""
        kept = {
            code: [length for length in some if length < longest] or some
            for code, some in self.lengths.items()
        }
        return replace(self, lengths=kept)

    def batch_length(self, batch_size: int) -> int:
        """Mean length of a training's batches, padding included."""
        from transfer.loop.batch_plan import plan

        lengths = [length for some in self.lengths.values() for length in some]
        batches = plan(lengths, batch_size, _BATCHES, seed=1)
        widths = [max(lengths[index] for index in batch.indices) for batch in batches]
        return round(sum(widths) / len(widths))

    def evaluation(self) -> tuple[int, int, float]:
        """Rows and length of a typical batch of an evaluation, and how many there are."""
        tokens = batches = 0.0
        for language, lengths in self.lengths.items():
            share = self.counts[language] / len(lengths)
            groups = by_tokens(lengths, ON_CPU.tokens)
            padded = sum(len(group) * max(lengths[index] for index in group) for group in groups)
            tokens += share * padded
            batches += share * len(groups)
        length = max(1, round(tokens / max(1, self.total)))
        rows = max(1, min(round(tokens / max(1, batches) / length), ON_CPU.tokens // length))
        return rows, length, tokens / (rows * length)


class PlannedText(Protocol):
    """Reads some of a source's rows, and counts the rest."""

    def opening(self, model: PlannedModel) -> float:
        """Seconds of opening the model's tokenizer."""

    def held_out(self) -> float:
        """Seconds of reading the text that is kept out of training."""

    def task(
        self,
        model: PlannedModel,
        name: str,
        split: str,
        languages: Sequence[str] | None = None,
        most: int | None = None,
        longest: int | None = None,
        *,
        scored: bool = False,
    ) -> Rows:
        """Rows of a task; `most` per language, `split` may be `eval`.

        Args:
            scored: with all that an evaluation embeds next to the rows, such as a pool that is
                searched; else the rows alone, as a comparison or a benchmark reads them.

        Raises:
            NotKnownAheadError: the model's tokenizer is not there, or it has no such rows.
        """

    def parallel(
        self,
        model: PlannedModel,
        languages: Sequence[str] | None = None,
        most: int | None = None,
        paired: float = 0.0,
        longest: int | None = None,
        *,
        single: bool = False,
    ) -> Rows:
        """Sentences of the parallel text, by language.

        Args:
            most: pairs per language.
            paired: share of the rows that have both sides.
            single: as many lines of the text in one language are read too, where there is one.
        """

    def pieces(self, model: PlannedModel, languages: Sequence[str] | None, most: int | None) -> int:
        """Pieces that occur in the parallel text of some languages, `most` pairs of each."""
