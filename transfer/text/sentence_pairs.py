"""Rows of tasks as pairs of sentences that belong together, for contrastive training.

>>> pairs = SentencePairs([similarity], Belonging(min_score=4.0), prefix="query: ")
>>> pairs.load(source, "train", "en")[0]
PairOfTask(id='train-en-7', query='query: A man sleeps.', passage='query: A man is asleep.', task=0)

A query belongs with its passage, a line with its translation; two sentences with a score do from
`min_score` on, two with a label where it is `label`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from evalsuite.data.ranking import Searched
from evalsuite.errors import DataError
from evalsuite.inference.task_head import reads_two_texts
from evalsuite.task import (
    Candidate,
    DataSource,
    Example,
    MatchExample,
    PairExample,
    ParallelExample,
    ScoreExample,
    Split,
    Task,
)

if TYPE_CHECKING:
    from transfer.objectives.sentence_vectors import SentenceVectors
    from transfer.text.augment import Change

_LONGEST = 100_000  # tokens; the training's own limit is lower


@dataclass(frozen=True, slots=True)
class Belonging:
    """Which rows with a score or a label are pairs that belong together.

    Attributes:
        min_score: least score.
        label: the label, such as `entailment`.
    """

    min_score: float | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class PairOfTask(MatchExample):
    """A pair of one of several tasks; `task` is its number."""

    task: int


class SentencePairs(Task):
    """Several tasks as one, whose rows are `PairOfTask`s with the prefixes in place.

    Attributes:
        both_ways: no side is searched for the other: each is to find its partner.
    """

    format = "ranking"
    metric = "map_at_20"
    by_embedding = True
    title = layout = licence = citation = url = ""

    def __init__(
        self,
        tasks: Sequence[Task],
        belonging: Belonging | None = None,
        prefix: str | None = None,
        passage_prefix: str | None = None,
    ) -> None:
        self.tasks, self.belonging = tasks, belonging or Belonging()
        self.prefix = prefix or ""
        self.passage_prefix = self.prefix if passage_prefix is None else passage_prefix
        self.name = "+".join(task.name for task in tasks)
        languages = [code for task in tasks for code in task.training_languages]
        self.languages = self.training_languages = tuple(dict.fromkeys(languages))
        self.source_language = tasks[0].source_language
        self.both_ways = not any(task.format == "ranking" for task in tasks)
        searched = [task for task in tasks if isinstance(task, Searched)]
        apart = len(tasks) == len(searched) == 1
        self.query_tokens = searched[0].query_tokens if apart else _LONGEST
        self.candidate_tokens = searched[0].candidate_tokens if apart else _LONGEST

    @property
    def headless(self) -> Sequence[Task]:
        """The task that the trained model is said to be of: one without a head, alone."""
        return self.tasks if len(self.tasks) == 1 and self.tasks[0].by_embedding else ()

    def trained(self, vectors: SentenceVectors) -> SentenceVectors:
        """The same with the prefixes that were trained: without passages one for both texts."""
        return replace(vectors, passage_prefix=vectors.prefix) if self.both_ways else vectors

    @property
    def learnable(self) -> bool:
        """Its rows are for training."""
        return True

    def candidates(self, source: DataSource, split: Split) -> Iterator[Candidate]:
        """None: the other rows of a batch are searched."""
        return iter(())

    def files(self, source: DataSource, split: Split, language: str) -> tuple[Path, ...]:
        """Those of its tasks."""
        return tuple(file for task in self.tasks for file in task.files(source, split, language))

    def available(self, source: DataSource, split: Split) -> tuple[str, ...]:
        """Languages of any of its tasks."""
        found = [code for task in self.tasks for code in task.available(source, split)]
        return tuple(dict.fromkeys(found))

    def load(self, source: DataSource, split: Split, language: str) -> Sequence[Example]:
        """Pairs of the tasks that have rows in the language; raises as `Task.load`.

        Raises:
            DataError: none of a task's rows is a pair that belongs together.
        """
        alone = len(self.tasks) == 1
        pairs: list[Example] = []
        for number, task in enumerate(self.tasks):
            if alone or language in task.training_languages:
                rows = task.load(source, split, language)
                found = [pair for row in rows if (pair := self._pair(row, number)) is not None]
                if rows and not found:
                    raise DataError(self._nothing(task, language, len(rows)))
                pairs += found
        return pairs

    def some_of(self, rows: Sequence[Example], most: int | None) -> Sequence[Example]:
        """At most `most` of the pairs of each task, drawn as the task draws rows."""
        pairs = [row for row in rows if isinstance(row, PairOfTask)]
        return [
            pair
            for number, task in enumerate(self.tasks)
            for pair in task.some_of([pair for pair in pairs if pair.task == number], most)
        ]

    def around_prefixes(self, change: Change) -> Change:
        """A change of rows that does not change the prefixes of their texts."""

        def changed(examples: Sequence[Example]) -> list[Example]:
            pairs = [row for row in examples if isinstance(row, MatchExample)]
            passages = [self._before(row.passage) for row in pairs]
            bare = [
                replace(
                    row,
                    query=row.query.removeprefix(self.prefix),
                    passage=row.passage.removeprefix(before),
                )
                for row, before in zip(pairs, passages, strict=True)
            ]
            return [
                replace(row, query=self.prefix + row.query, passage=before + row.passage)
                for row, before in zip(change(bare), passages, strict=True)
                if isinstance(row, MatchExample)
            ]

        return changed

    def _before(self, passage: str) -> str:
        """The prefix that a passage begins with; of a pair of alike sentences that of queries."""
        known = [text for text in (self.prefix, self.passage_prefix) if passage.startswith(text)]
        return max(known, key=len, default="")

    def _pair(self, row: Example, task: int) -> PairOfTask | None:
        """A task's row as a pair; None where its sentences do not belong together."""
        asked = self.belonging
        if isinstance(row, MatchExample):
            passage = self.passage_prefix + row.passage
            return PairOfTask(row.id, self.prefix + row.query, passage, task)
        if isinstance(row, ParallelExample):
            return self._alike(row.id, row.foreign, row.english, task)
        if isinstance(row, ScoreExample) and row.second is not None and row.score is not None:
            if asked.min_score is not None and row.score >= asked.min_score:
                return self._alike(row.id, row.first, row.second, task)
        elif isinstance(row, PairExample) and row.second is not None and row.label == asked.label:
            return self._alike(row.id, row.first, row.second, task)
        return None

    def _alike(self, id: str, one: str, other: str, task: int) -> PairOfTask:
        return PairOfTask(id, self.prefix + one, self.prefix + other, task)

    def _nothing(self, task: Task, language: str, rows: int) -> str:
        asked = self.belonging
        what = (
            f"a score of {asked.min_score:g} or more (min_score)"
            if task.format == "regression" and asked.min_score is not None
            else f"the label {asked.label} (positive_label)"
        )
        return f"{task.name} {language}: none of its {rows:,} training rows has {what}"


def pair_problems(tasks: Sequence[Task], belonging: Belonging) -> list[str]:
    """What is wrong with tasks whose rows are to be pairs that belong together."""
    problems = []
    for task in tasks:
        if task.by_embedding:
            continue
        if task.format not in ("regression", "pair") or not reads_two_texts(task):
            problems.append(
                f"contrastive: rows needs pairs of sentences, and a row of {task.name} is not one; "
                "leave it out"
            )
        elif task.format == "regression" and belonging.min_score is None:
            problems.append(
                f"min_score: say from which score on two sentences of {task.name} belong together"
            )
        elif task.format == "pair" and belonging.label not in task.labels:
            problems.append(
                f"positive_label: say which label of {task.name} two sentences that belong "
                f"together have: {', '.join(task.labels)}"
            )
    return problems
