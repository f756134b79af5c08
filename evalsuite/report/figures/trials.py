"""The arithmetic of a search: what each trial scores and costs, which are best.

>>> search = score_trials(run).search
>>> [(trial.average, trial.bytes, trial.on_front) for trial in search.trials]
[(61.2, 9_400_000.0, True), (58.0, 9_600_000.0, False), (57.3, 6_100_000.0, True)]
>>> search.recommended
0
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import TypeVar

from evalsuite.report.figures.costs import cost, first_setting
from evalsuite.report.figures.machines import machine
from evalsuite.report.figures.pareto_front import front
from evalsuite.report.figures.scores import (
    TaskColumn,
    average,
    average_delta,
    can_be_averaged,
    columns,
    made_by,
    mean,
)
from evalsuite.report.figures.systems import System, group
from evalsuite.results.alignment import AlignmentResult
from evalsuite.results.fertility import FertilityResult
from evalsuite.results.record import ModelInfo
from evalsuite.results.run import RunRecord
from evalsuite.results.search import BudgetKind, Search, Trial
from evalsuite.results.speed import SpeedResult
from evalsuite.results.task import ModelComparison, TaskResult

T = TypeVar("T")


def score_trials(run: RunRecord) -> RunRecord:
    """The run with scores and costs of each trial of its search.

    Several trials, or variants of a stage, may measure the same model, such as the teacher. Its
    first figures are kept.
    """
    run = _once(run)
    if run.search is None:
        return run
    systems, tasks = group(run), columns(run.scores)
    trials = [figures(systems, tasks, run.search, trial) for trial in run.search.trials]
    costs = [None if trial.refused else budget_used(run.search.budget, trial) for trial in trials]
    points = [
        (i, (x, trial.average))
        for i, (x, trial) in enumerate(zip(costs, trials, strict=True))
        if x is not None and trial.average is not None
    ]
    best = {points[i][0] for i in front([point for _, point in points], smaller_is_better=True)}
    trials = [
        trial.model_copy(update={"on_front": i in best, "within": within(run.search, trial)})
        for i, trial in enumerate(trials)
    ]
    search = run.search.model_copy(
        update={"trials": tuple(trials), "recommended": recommended(run.search.budget, trials)}
    )
    return run.model_copy(update={"search": search})


def figures(
    systems: Sequence[System], tasks: Sequence[TaskColumn], search: Search, trial: Trial
) -> Trial:
    """A trial with the figures of its candidate: the mean over the systems of the candidate.

    There are several systems where the recipe also has a matrix, such as one of seeds.
    """
    candidates = _systems(systems, search.candidate, trial.assignment)
    if trial.refused or not candidates:
        return trial
    references = _systems(systems, search.reference, trial.assignment)
    averaged = can_be_averaged(tasks)
    where = first_setting(candidates)  # of each trial: it may have been timed later
    costs = [cost(system, where) for system in candidates]
    scores = [average(system, tasks) if averaged else None for system in candidates]
    differences = [
        average_delta(system, reference, tasks) if averaged else None
        for system in candidates
        for reference in references
        if _agree(reference, dict(system.label.variables))  # the same seed, where there are several
    ]
    return trial.model_copy(
        update={
            "systems": tuple(system.name for system in candidates),
            "average": mean(None if score is None else score.mean for score in scores),
            "difference": None if None in differences else mean(differences),
            "bytes": fmean(cost.bytes for cost in costs),
            "p50_ms": mean(cost.latency_ms.get(50) for cost in costs),
            "sentences_per_second": mean(cost.sentences_per_second for cost in costs),
        }
    )


def _systems(systems: Sequence[System], family: str, assignment: Mapping[str, str]) -> list[System]:
    """The systems of a family that were made with the knobs of a trial."""
    return [s for s in systems if s.label.family == family and _agree(s, assignment)]


def _agree(system: System, wanted: Mapping[str, str]) -> bool:
    return all(wanted.get(name, value) == value for name, value in system.label.variables)


def budget_used(budget: BudgetKind, trial: Trial) -> float | None:
    """The cost of a trial: milliseconds where the budget is in milliseconds, else bytes."""
    return trial.p50_ms if budget == "ms" else trial.bytes


def over_budget(search: Search, trial: Trial) -> float | None:
    """How far a trial is over the budget, in the unit of the budget; None if not measured."""
    if search.budget == "points":
        return None if trial.difference is None else -trial.difference - search.limit
    used = budget_used(search.budget, trial)
    if used is None:
        return None
    return (used / 1e6 if search.budget == "MB" else used) - search.limit


def within(search: Search, trial: Trial) -> bool:
    """Whether a trial was made and is within the budget."""
    over = over_budget(search, trial)
    return not trial.refused and trial.average is not None and over is not None and over <= 1e-9


def recommended(budget: BudgetKind, trials: Sequence[Trial]) -> int | None:
    """Index of the best trial within the budget: best average, or smallest for points.

    Of equal trials, the smaller or the better one, then the earlier one.
    """

    def rank(i: int) -> tuple[float, float]:
        used, score = budget_used(budget, trials[i]), trials[i].average
        assert used is not None and score is not None
        return (used, -score) if budget == "points" else (-score, used)

    inside = [i for i, trial in enumerate(trials) if trial.within]
    return min(inside, key=rank, default=None)


def _once(run: RunRecord) -> RunRecord:
    """The run with the first result of each model and measurement, and no later ones."""

    def model(info: ModelInfo) -> Hashable:
        return info.label, info.runtime, info.precision

    def score(result: TaskResult) -> Hashable:
        rows = (result.task, result.split, result.source, result.data_digest, result.max_examples)
        return model(result.model), rows, made_by(result)

    def speed(result: SpeedResult) -> Hashable:
        environment = result.environment
        where = machine(environment), environment.threads, environment.device
        text = result.text, result.source, result.data_digest
        shapes = tuple((cell.batch, cell.length) for cell in result.grid)
        asked = shapes, len(result.throughput), result.memory_limit
        return model(result.model), text, where, asked

    def alignment(result: AlignmentResult) -> Hashable:
        return model(result.model), result.text, result.pooling, result.base

    def fertility(result: FertilityResult) -> Hashable:
        return result.label, result.text

    scores = _seen_alike(run.scores)
    return run.model_copy(
        update={
            "scores": _completed(_firsts(scores, score), scores, score),
            "speeds": _firsts(run.speeds, speed),
            "alignment": _firsts(run.alignment, alignment),
            "fertility": _firsts(run.fertility, fertility),
        }
    )


def _seen_alike(scores: Sequence[TaskResult]) -> tuple[TaskResult, ...]:
    """The results, those of one task, split and source with the same languages outside the mean.

    They stand in one column, and one stage may know of models that were trained in more languages.
    """

    def rows(result: TaskResult) -> Hashable:
        return result.task, result.split, result.source

    seen: dict[Hashable, dict[str, None]] = {}
    for result in scores:
        seen.setdefault(rows(result), {}).update(dict.fromkeys(result.seen_languages))
    return tuple(_with_seen(result, tuple(seen[rows(result)])) for result in scores)


def _with_seen(result: TaskResult, seen: tuple[str, ...]) -> TaskResult:
    """The result with other seen languages; no interval and no p where its mean is another."""
    other = result.model_copy(update={"seen_languages": seen})
    scored = result.metrics[result.main_metric]
    if all(result.is_zero_shot(code) == other.is_zero_shot(code) for code in scored):
        return other
    none = {"zero_shot_interval": None}
    comparison = result.comparison and result.comparison.model_copy(update={**none, "p": None})
    return other.model_copy(update={**none, "comparison": comparison})


def _completed(
    firsts: Iterable[TaskResult],
    every: Sequence[TaskResult],
    key: Callable[[TaskResult], Hashable],
) -> tuple[TaskResult, ...]:
    """The first results, with the interval and the comparison of a later one, if they have none."""
    intervals = {key(r): r.zero_shot_interval for r in reversed(every) if r.zero_shot_interval}
    found: dict[Hashable, list[ModelComparison]] = {}
    for result in every:
        if result.comparison:
            found.setdefault(key(result), []).append(result.comparison)
    return tuple(
        result.model_copy(
            update={
                "zero_shot_interval": result.zero_shot_interval or intervals.get(key(result)),
                "comparison": _fullest(found.get(key(result), ())),
            }
        )
        for result in firsts
    )


def _fullest(comparisons: Sequence[ModelComparison]) -> ModelComparison | None:
    """The first comparison, or a later one with the same model that has a p where it has none."""
    alike = [other for other in comparisons if other.label == comparisons[0].label]
    return min(alike, key=lambda other: other.p is None, default=None)


def _firsts(items: Iterable[T], key: Callable[[T], Hashable]) -> tuple[T, ...]:
    firsts: dict[Hashable, T] = {}
    for item in items:
        firsts.setdefault(key(item), item)
    return tuple(firsts.values())
