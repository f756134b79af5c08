"""What a search for a model within a budget tried and recommended."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from evalsuite.results.numbers import Amount, Points, Score
from evalsuite.results.record import Record

BudgetKind = Literal["MB", "ms", "points"]


class Trial(Record):
    """One assignment of a search's knobs, and its result.

    The measurements are those of the candidate: the average zero-shot score and its difference
    from the reference in points, bytes of weights and graph, median latency. None where they were
    not measured.
    """

    assignment: dict[str, str]  # knob -> name of its value
    refused: str = ""  # why the trial is impossible; empty where it was made
    systems: tuple[str, ...] = ()  # the candidate's rows in the report
    average: Score | None = None
    difference: Points | None = None
    bytes: Amount | None = None
    p50_ms: Amount | None = None
    sentences_per_second: Amount | None = None
    within: bool = False  # within the budget
    on_front: bool = False  # no other trial is as good in both and better in one


class Search(Record):
    """What a search was asked for, and its result."""

    candidate: str  # the stage that is judged
    reference: str  # points are relative to it; empty where nothing else was scored
    budget: BudgetKind
    limit: float  # in megabytes (10^6 bytes), milliseconds or points
    knobs: dict[str, tuple[str, ...]]  # names of their values
    most: int  # number of trials allowed
    trials: tuple[Trial, ...]  # in the order in which they were made
    recommended: int | None = None  # of `trials`; None where none is within the budget

    @model_validator(mode="after")
    def _recommends_a_trial(self) -> Search:
        if self.recommended is not None and not 0 <= self.recommended < len(self.trials):
            raise PydanticCustomError("recommended", "recommended is none of the trials")
        return self
