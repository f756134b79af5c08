"""What a metric is: from gold and predicted answers to a score in percent.

>>> from evalsuite.registry import METRICS
>>> METRICS.get("chunk_f1").titles
{'chunk_f1': 'chunk F1', 'chunk_precision': 'chunk precision', 'chunk_recall': 'chunk recall'}

A metric file (`evalsuite/metrics/<name>.py`) holds one module-level `METRIC`. A task names it
(`metric`, and `also` for those that are scored as well). Nothing here imports numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from evalsuite.task import Task

if TYPE_CHECKING:
    import numpy as np

Kind = Literal[
    "label", "labels", "score", "tags", "answers", "ranking", "pairs", "index", "probabilities"
]
KINDS: dict[Kind, str] = {
    "label": "a row has a label, or the number of a choice; the gold one is None where hidden",
    "labels": "gold: label -> whether the row has it, None where hidden; predicted: the labels",
    "score": "a row has a number; the gold one is None where hidden",
    "tags": "a row has a tag for each word",
    "answers": "gold: the texts that are right, none where hidden; predicted: a text, or None",
    "ranking": "gold: ids of the relevant candidates; predicted: ids, the best first",
    "pairs": "gold: ids of the translations, often none; predicted: an id, several, or None",
    "index": "a row has the number of a row of the other side",
    "probabilities": "gold: an answer; predicted: an answer and the probability the model gave it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Gold and predicted answers to the rows of one language.

    Attributes:
        gold: one per row, of the kind that the metric reads.
        predicted: one per row; empty where only the gold answers are needed, as for chance.
        task: the task, with its labels.
        candidates: how many candidates each row was compared with, where there is a pool.
    """

    gold: Sequence[Any]
    predicted: Sequence[Any] = ()
    task: Task
    language: str
    candidates: int = 0

    def shown(self) -> Answers:
        """Without the rows whose gold answer is hidden.

        Raises:
            ValueError: not as many predictions as rows.
        """
        return self.take([row for row, gold in enumerate(self.gold) if not is_hidden(gold)])

    def take(self, rows: Sequence[int]) -> Answers:
        """These rows, in this order; a row may be taken more than once."""
        if self.predicted and len(self.predicted) != len(self.gold):
            raise ValueError(f"{len(self.predicted)} predictions for {len(self.gold)} rows")
        predicted = [self.predicted[row] for row in rows] if self.predicted else ()
        return replace(self, gold=[self.gold[row] for row in rows], predicted=predicted)


def is_hidden(gold: object) -> bool:
    """Whether a row's gold answer is not known.

    >>> is_hidden(None), is_hidden(()), is_hidden(0), is_hidden(("",))
    (True, True, False, False)
    """
    return gold is None or (isinstance(gold, Sized) and not len(gold))


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: what it is called, what it reads, and its functions.

    Attributes:
        titles: the scores it gives -> how people write them. The first is the main one; it has
            the name of the file.
        reads: the kind of answer it compares (`KINDS`).
        score: the scores by name, in percent. Raises ValueError where there is nothing to score.
        chance: percent that guessing scores on the main one, from the gold answers alone. None:
            it is only scored next to another metric, never a task's main one.
        parts: what each row adds to the sums that the main score is made of, `[rows, sums]`; by
            default two, above and below the line. None: it is not made of sums over rows, and each
            bootstrap sample is scored anew.
        of_sums: the main score from the sums, `[..., sums]` to `[...]`. None: the first over the
            second, in percent.
        also_reads: further kinds of answers that it compares.
        of_samples: the main score of samples of rows, from their numbers, `[samples, rows]` to
            `[samples]`; of a metric that is not made of sums, it saves scoring each sample anew.
        limits: the lowest and highest value that its scores may have.
        details: choices that its score depends on, such as `average:macro`, for its signature.
        packages: libraries that compute it, whose versions are in its signature.
        version: raised when the same answers score otherwise.
        needs: attributes that a task must set to be scored by it.
        hub: the Hugging Face hub's names of its scores, where it has one.
    """

    titles: Mapping[str, str]
    reads: Kind
    score: Callable[[Answers], dict[str, float]]
    chance: Callable[[Answers], float] | None = None
    parts: Callable[[Answers], np.ndarray] | None = None
    of_sums: Callable[[np.ndarray], np.ndarray] | None = None
    also_reads: tuple[Kind, ...] = ()
    of_samples: Callable[[Answers, np.ndarray], np.ndarray] | None = None
    limits: tuple[float, float] = (0.0, 100.0)
    details: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    version: int = 1
    needs: tuple[str, ...] = ()
    hub: Mapping[str, str] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """All kinds of answers that it compares."""
        return (self.reads, *self.also_reads)

    @property
    def name(self) -> str:
        """Name of its main score."""
        return next(iter(self.titles))
