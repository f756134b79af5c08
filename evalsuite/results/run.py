"""The record of a whole run: all that a report is made from."""

from __future__ import annotations

from typing import Any

from evalsuite.results.alignment import AlignmentResult
from evalsuite.results.fertility import FertilityResult
from evalsuite.results.numbers import Count, Seconds
from evalsuite.results.record import Record
from evalsuite.results.search import Search
from evalsuite.results.speed import SpeedResult
from evalsuite.results.task import TaskResult
from evalsuite.results.training import TrainingCurve
from evalsuite.task import SourceKind

MANIFEST = "lingopress.json"  # of a stage's output: its record, with paths of this machine


class StageRecord(Record):
    """What a stage did, and what it cost."""

    name: str  # "teacher[task=xnli]"
    kind: str
    key: str
    inputs: tuple[str, ...]  # names of stages, or model sources
    config: dict[str, Any]
    summary: dict[str, float | int | str]  # what it did: {"steps": 400, "final loss": 1.23}
    seconds: Seconds  # time of work, over all its resumptions
    output_bytes: Count
    finished: str  # ISO 8601, UTC
    curves: tuple[TrainingCurve, ...] = ()  # of its trainings
    not_in_key: tuple[str, ...] = ()  # keys of `config` that change no output


class ComparedRun(Record):
    """One of the runs in a comparison."""

    name: str  # its labels begin with it
    recipe: str
    source: SourceKind
    seed: int
    finished: str  # ISO 8601, UTC, of its last stage; empty where it has none
    search: str = ""  # the result of its search in one sentence; empty without one


class RunRecord(Record):
    """All a report is made from."""

    recipe: str
    description: str
    source: SourceKind
    seed: int
    stages: tuple[StageRecord, ...]
    scores: tuple[TaskResult, ...]
    speeds: tuple[SpeedResult, ...]
    fertility: tuple[FertilityResult, ...] = ()
    alignment: tuple[AlignmentResult, ...] = ()
    runs: tuple[
        ComparedRun, ...
    ] = ()  # in a comparison; `source` and `seed` are those of the first
    search: Search | None = None  # the search that made these trials
