"""The arithmetic of a search: what each trial scores and costs, which are best.

>>> found = settle(run).search
>>> [(trial.average, trial.bytes, trial.on_front) for trial in found.trials]
[(61.2, 9_400_000.0, True), (58.0, 9_600_000.0, False), (57.3, 6_100_000.0, True)]
>>> found.recommended
0
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import TypeVar

from evalsuite.report.figures.costs import cost, settings
from evalsuite.report.figures.pareto_front import front
from evalsuite.report.figures.scores import (
    TaskColumn,
    average,
    average_delta,
    can_be_averaged,
    columns,
    mean,
)
from evalsuite.report.figures.systems import System, group
from evalsuite.results.alignment import AlignmentResult
from evalsuite.results.fertility import FertilityResult
from evalsuite.results.record import ModelInfo
from evalsuite.results.run import RunRecord
from evalsuite.results.search import BudgetKind, Search, Trial
from evalsuite.results.speed import SpeedResult
from evalsuite.results.task import TaskResult

T = TypeVar("T")


def settle(run: RunRecord) -> RunRecord:
    """The same run, its search's trials with their figures; one without a search as it is.

    A model that several trials measured (a teacher beside each candidate) keeps its first figures.
    """
    if run.search is None:
        return run
    run = _once(run)
    assert run.search is not None
    systems, tasks = group(run), columns(run.scores)
    trials = [figures(systems, tasks, run.search, trial) for trial in run.search.trials]
    spent = [None if trial.refused else expense(run.search.budget, trial) for trial in trials]
    points = [
        (i, (x, trial.average))
        for i, (x, trial) in enumerate(zip(spent, trials, strict=True))
        if x is not None and trial.average is not None
    ]
    best = {points[i][0] for i in front([point for _, point in points], smaller_is_better=True)}
    trials = [
        trial.model_copy(update={"on_front": i in best, "within": within(run.search, trial)})
        for i, trial in enumerate(trials)
    ]
    found = run.search.model_copy(
        update={"trials": tuple(trials), "recommended": recommended(run.search.budget, trials)}
    )
    return run.model_copy(update={"search": found})


def figures(
    systems: Sequence[System], tasks: Sequence[TaskColumn], search: Search, trial: Trial
) -> Trial:
    """A trial with the figures of its candidate: the mean over its systems, where it has several.

    It has several where the recipe has a matrix beside the knobs, such as one of seeds.
    """
    own = _systems(systems, search.candidate, trial.assignment)
    if trial.refused or not own:
        return trial
    known = _systems(systems, search.reference, trial.assignment)
    averaged = can_be_averaged(tasks)
    where = next(iter(settings(systems)), None)
    costs = [cost(system, where) for system in own]
    scores = [average(system, tasks) if averaged else None for system in own]
    differences = [
        average_delta(system, first, tasks) if averaged else None
        for system in own
        for first in known
        if _agree(first, dict(system.label.variables))  # the same seed, where there are several
    ]
    return trial.model_copy(
        update={
            "systems": tuple(system.name for system in own),
            "average": mean(None if score is None else score.mean for score in scores),
            "difference": None if None in differences else mean(differences),
            "bytes": fmean(found.bytes for found in costs),
            "p50_ms": mean(found.latency_ms.get(50) for found in costs),
            "sentences_per_second": mean(found.sentences_per_second for found in costs),
        }
    )


def _systems(systems: Sequence[System], family: str, assignment: Mapping[str, str]) -> list[System]:
    """Those of a family whose knobs, as far as they have them, are the trial's."""
    return [own for own in systems if own.label.family == family and _agree(own, assignment)]


def _agree(system: System, wanted: Mapping[str, str]) -> bool:
    return all(wanted.get(name, value) == value for name, value in system.label.variables)


def expense(budget: BudgetKind, trial: Trial) -> float | None:
    """What the front holds against the score: milliseconds for a budget of them, else bytes."""
    return trial.p50_ms if budget == "ms" else trial.bytes


def excess(search: Search, trial: Trial) -> float | None:
    """By how much a trial is over the budget, in its unit; None where that was not measured."""
    if search.budget == "points":
        return None if trial.difference is None else -trial.difference - search.limit
    used = expense(search.budget, trial)
    if used is None:
        return None
    return (used / 1e6 if search.budget == "MB" else used) - search.limit


def within(search: Search, trial: Trial) -> bool:
    """Whether a trial was made and is within the budget."""
    over = excess(search, trial)
    return not trial.refused and trial.average is not None and over is not None and over <= 0


def recommended(budget: BudgetKind, trials: Sequence[Trial]) -> int | None:
    """Of those within the budget the best average; for a budget of points the smallest.

    Of equal ones the smaller or the better, then the earlier.
    """

    def rank(i: int) -> tuple[float, float]:
        used, score = expense(budget, trials[i]), trials[i].average
        assert used is not None and score is not None
        return (used, -score) if budget == "points" else (-score, used)

    inside = [i for i, trial in enumerate(trials) if trial.within]
    return min(inside, key=rank, default=None)


def _once(run: RunRecord) -> RunRecord:
    """One result of each model in each respect, the first."""

    def model(info: ModelInfo) -> Hashable:
        return info.label, info.runtime, info.precision

    def score(own: TaskResult) -> Hashable:
        how = (own.layer, own.pooling, own.scoring, own.max_examples)
        return model(own.model), own.task, own.split, own.source, own.data_digest, how

    def speed(own: SpeedResult) -> Hashable:
        return model(own.model), own.text, own.environment.threads, own.environment.device

    def alignment(own: AlignmentResult) -> Hashable:
        return model(own.model), own.text, own.pooling, own.base

    def fertility(own: FertilityResult) -> Hashable:
        return own.label, own.text

    return run.model_copy(
        update={
            "scores": _firsts(run.scores, score),
            "speeds": _firsts(run.speeds, speed),
            "alignment": _firsts(run.alignment, alignment),
            "fertility": _firsts(run.fertility, fertility),
        }
    )


def _firsts(items: Iterable[T], key: Callable[[T], Hashable]) -> tuple[T, ...]:
    found: dict[Hashable, T] = {}
    for item in items:
        found.setdefault(key(item), item)
    return tuple(found.values())
