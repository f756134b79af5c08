"""Systems that differ in the matrix variable `seed` alone, and how their scores vary.

>>> spread([60.0, 62.0, 64.0])
Spread(mean=62.0, deviation=2.0, count=3)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from evalsuite.report.figures.formatting import listed
from evalsuite.report.figures.scores import Score, TaskColumn, comparable, results_of, score
from evalsuite.report.figures.systems import SEPARATOR, System
from evalsuite.results.run import RunRecord

SEED = "seed"


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation (n-1) over seeds; no deviation over one."""

    mean: float
    deviation: float | None
    count: int


def spread(values: Sequence[float]) -> Spread:
    """Of at least one value."""
    return Spread(fmean(values), stdev(values) if len(values) > 1 else None, len(values))


def seed_sentence(run: RunRecord) -> str:
    """The seed of the recipe, and those that stages have instead.

    >>> seed_sentence(run)
    'Seed of the recipe: 0. Some stages have another seed: 1 and 2.'
    """
    asked = (stage.config.get(SEED) for stage in run.stages)
    others = sorted({seed for seed in asked if isinstance(seed, int)} - {run.seed})
    text = f"Seed of the recipe: {run.seed}."
    return (
        f"{text} Some stages have another seed: {listed(list(map(str, others)))}."
        if others
        else text
    )


def seed_groups(systems: Sequence[System]) -> dict[str, tuple[System, ...]]:
    """Systems with scores that are one but for the seed, by the name they share."""
    groups: dict[tuple[str, str], list[System]] = {}
    for system in systems:
        if system.scores and SEED in dict(system.label.variables):
            key = str(system.label.without({SEED})), system.opened_in
            groups.setdefault(key, []).append(system)
    several = {key: tuple(members) for key, members in groups.items() if len(members) > 1}
    labels = [label for label, _ in several]
    return {
        f"{label}{SEPARATOR}{opened_in}" if labels.count(label) > 1 else label: members
        for (label, opened_in), members in several.items()
    }


def scored_alike(scores: Sequence[Score]) -> bool:
    """Whether all are of the same rows in the same languages."""
    return all(comparable(own, scores[0]) for own in scores)


def over_seeds(systems: Sequence[System], tasks: Sequence[TaskColumn]) -> tuple[System, ...]:
    """The systems, those of one group as one: its scores and costs are means over its seeds.

    It has no score on a task that some of its seeds were not scored on, or on other rows. Where
    another system has its name already, it is called `student over seeds`.

    >>> [system.name for system in over_seeds(systems, tasks)]
    ['teacher', 'student[layers=2]', 'base']
    """
    taken, merged = {own.name for own in systems}, {}
    for name, members in seed_groups(systems).items():
        one = _merged(f"{name} over seeds" if name in taken else name, members, tasks)
        merged.update({own.name: one for own in members})
    found = (merged.get(own.name, own) for own in systems)
    return tuple({own.name: own for own in found}.values())


def _merged(name: str, members: Sequence[System], tasks: Sequence[TaskColumn]) -> System:
    kept = [task for task in tasks if _every_seed_has(members, task)]
    return System(
        name,
        models=tuple(model for own in members for model in own.models),
        scores=tuple(
            result for task in kept for own in members for result in results_of(own, task)
        ),
        speeds=tuple(speed for own in members for speed in own.speeds),
    )


def _every_seed_has(members: Sequence[System], task: TaskColumn) -> bool:
    cells = [cell for own in members if (cell := score(own, task)) and cell.mean is not None]
    return len(cells) == len(members) and scored_alike(cells)
