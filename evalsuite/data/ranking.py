"""Queries searched for in one pool of candidates of all languages: LAReQA and Mewsli-X.

>>> TASK.load(source, "test", "de")[0].relevant
('ar_1_0', 'de_1_0', ...)
>>> next(iter(TASK.candidates(source, "test"))).id
'ar_1_0'
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from evalsuite.data.hub import Row
from evalsuite.data.sourced import SourcedTask
from evalsuite.task import Candidate, DataSource, Example, Format, Split


@runtime_checkable
class Searched(Protocol):
    """What a task of this format has, wherever its rows are from.

    Attributes:
        query_tokens, candidate_tokens: longest sequence of each, specials included.
    """

    name: str
    query_tokens: int
    candidate_tokens: int

    def candidates(self, source: DataSource, split: Split) -> Iterable[Candidate]:
        """The whole pool, in a fixed order, whatever languages are asked for; raises as `load`."""
        ...


class RankingTask(SourcedTask):
    """`train` rows are `MatchExample`s, those of other splits `QueryExample`s.

    Attributes:
        query_tokens, candidate_tokens: longest sequence of each, specials included.
    """

    format: Format = "ranking"
    by_embedding: bool = True
    metric: str = "map_at_20"
    query_tokens: int
    candidate_tokens: int

    @property
    def learnable(self) -> bool:
        return self.trains_on  # passages are matched, there are no labels

    @abstractmethod
    def candidates(self, source: DataSource, split: Split) -> Iterable[Candidate]:
        """The whole pool, in a fixed order, whatever languages are asked for; raises as `load`."""

    def hub_config(self, language: str) -> str:
        raise NotImplementedError  # not reached: there is no copy with sentence breaks, or entities

    def from_row(self, row: Row, id: str) -> Example | None:
        raise NotImplementedError  # not reached
