"""Sentences to be paired across two comparable corpora, most of which have no partner: BUCC 2018.

>>> TASK.load(source, "dev", "de")[0]
MiningExample(id='de-000000001', foreign='...', partners=('en-000012345',))
>>> next(iter(TASK.candidates(source, "dev", "de"))).id
'en-000000001'
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from evalsuite.data.hub import Row
from evalsuite.data.sourced import SourcedTask
from evalsuite.task import Candidate, DataSource, Example, Format, Split


class MiningTask(SourcedTask):
    """Rows are the foreign side, one per sentence.

    Attributes:
        fitted_on: split on whose labels it is decided which pairs are good enough.
    """

    format: Format = "mining"
    by_embedding: bool = True
    metric: str = "mining_f1"
    trains_on = False
    fitted_on: Split = "dev"

    @abstractmethod
    def candidates(self, source: DataSource, split: Split, language: str) -> Iterable[Candidate]:
        """The English side that goes with a language, in a fixed order; raises as `load`."""

    def hub_config(self, language: str) -> str:
        raise NotImplementedError  # not reached: there is no whole copy

    def from_row(self, row: Row, id: str) -> Example | None:
        raise NotImplementedError  # not reached
