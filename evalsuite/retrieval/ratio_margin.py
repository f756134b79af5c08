"""Translations found by ratio margin: how near two sentences are, for how near their others are.

>>> import numpy as np
>>> found = Margins.between(np.eye(3), np.eye(3)[[1, 0, 2]], k=2)
>>> found.nearest().tolist()
[1, 0, 2]
>>> found.pairs()
[(2.0, 0, 1), (2.0, 1, 0), (2.0, 2, 2)]

The cosine of two sentences, over the mean of those of the first with its k nearest and of the
second with its k nearest: a sentence that is near to everything is no better a match for it
(Artetxe and Schwenk 2019, arXiv:1811.01136). As `mine_bitext` in `third_party/utils_retrieve.py`
of google-research/xtreme at 838c13b, with its four neighbours and its `max` retrieval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalsuite.retrieval import nearest as search

if TYPE_CHECKING:
    import numpy as np

NEIGHBOURS = 4
BLOCK = 4096  # sentences searched at once

Pair = tuple[float, int, int]  # margin, foreign row, English row


@dataclass(frozen=True, slots=True)
class Margins:
    """Each sentence's nearest on the other side, and its margins with them; `[rows, k]` each."""

    forward: np.ndarray  # English rows
    forward_margins: np.ndarray
    backward: np.ndarray  # foreign rows
    backward_margins: np.ndarray

    @classmethod
    def between(cls, foreign: np.ndarray, english: np.ndarray, k: int = NEIGHBOURS) -> Margins:
        """Of two sides, `[n, width]` and `[m, width]`.

        Raises:
            ValueError: a side is empty, or a value is not finite.
        """
        there, forward = search.nearest(foreign, _blocks(english), k)
        back, backward = search.nearest(english, _blocks(foreign), k)
        of_foreign, of_english = there.mean(1, dtype=float), back.mean(1, dtype=float)
        return cls(
            forward,
            _ratio(there, of_foreign[:, None], of_english[forward]),
            backward,
            _ratio(back, of_english[:, None], of_foreign[backward]),
        )

    def nearest(self) -> np.ndarray:
        """The English row of the largest margin for each foreign one, among its k nearest."""
        import numpy as np

        best = self.forward_margins.argmax(1)
        found: np.ndarray = np.take_along_axis(self.forward, best[:, None], 1)[:, 0]
        return found

    def pairs(self) -> list[Pair]:
        """The best match of every sentence of either side, the largest margin first; a sentence is
        in one pair at most, so a match whose sentence is taken already is left out."""
        import numpy as np

        here, there = np.arange(len(self.forward)), np.arange(len(self.backward))
        best = self.backward_margins.argmax(1)
        rows = np.concatenate([here, np.take_along_axis(self.backward, best[:, None], 1)[:, 0]])
        columns = np.concatenate([self.nearest(), there])
        margins = np.concatenate([self.forward_margins.max(1), self.backward_margins.max(1)])
        found: list[Pair] = []
        rows_taken, columns_taken = set[int](), set[int]()
        for at in np.argsort(-margins, kind="stable"):
            row, column = int(rows[at]), int(columns[at])
            if row not in rows_taken and column not in columns_taken:
                rows_taken.add(row)
                columns_taken.add(column)
                found.append((float(margins[at]), row, column))
        return found


def _blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    return (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))


def _ratio(cosines: np.ndarray, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """0 where the neighbours' cosines are not above 0 on the mean: there is no ratio to them."""
    import numpy as np

    mean = (own + other) / 2
    return np.asarray(np.where(mean > 0, cosines / np.where(mean > 0, mean, 1), 0.0))
