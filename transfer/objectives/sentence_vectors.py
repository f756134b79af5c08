"""How sentences become vectors in a training; the trained checkpoint declares the same.

>>> SentenceVectors(prefix="query: ", dimensions=(128, 64)).resolved(Path("e5-small")).pooling
'mean'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evalsuite.retrieval.declared_vectors import declared_by
from evalsuite.retrieval.sentences import Pooling


@dataclass(frozen=True, slots=True)
class SentenceVectors:
    """What is put before texts, how their tokens become one vector, how vectors are compared.

    Attributes:
        pooling, prefix, passage_prefix: None: as the trained model declares.
        temperature: divides cosines in the contrastive loss.
        dimensions: the first numbers of each vector are trained to work alone, this many at a time
            (Matryoshka representation learning, Kusupati et al. 2022, arXiv:2205.13147).
    """

    pooling: Pooling | None = None
    prefix: str | None = None
    passage_prefix: str | None = None
    temperature: float = 0.05
    dimensions: tuple[int, ...] = ()

    def resolved(self, directory: Path) -> SentenceVectors:
        """With what a model directory declares in place of None.

        Raises:
            ModelError: its declaration is damaged, or of vectors that are made in another way.
        """
        declared = declared_by(directory)
        prefix, passage_prefix = declared.prefixes(self.prefix, self.passage_prefix)
        return replace(
            self,
            pooling=self.pooling or declared.pooling,
            prefix=prefix,
            passage_prefix=passage_prefix,
        )

    def without_prefix(self) -> SentenceVectors:
        """The same, with nothing put before texts."""
        return replace(self, prefix="", passage_prefix="")


def dimension_problems(dimensions: Sequence[int], width: int) -> list[str]:
    """What is wrong with the dimensions that vectors of a width are cut to."""
    if long := [size for size in dimensions if size >= width]:
        return [
            f"matryoshka: {', '.join(map(str, long))}: the model's vectors have {width} numbers, "
            "which are trained anyway; give fewer"
        ]
    return []
