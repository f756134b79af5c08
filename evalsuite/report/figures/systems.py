"""Merge the models of a run that are one system.

A recipe fans out one model a target task, so `teacher[task=xnli]` and `teacher[task=udpos]` are
one system, `teacher`, which has both scores. Two seeds or two sizes are two systems: they score
the same tasks.

>>> [system.name for system in group(run)]
['teacher', 'student', 'int8']
"""

from __future__ import annotations

from dataclasses import dataclass

from evalsuite.report.figures.labels import Label, parse
from evalsuite.results.record import ModelInfo
from evalsuite.results.run import RunRecord
from evalsuite.results.speed import SpeedResult
from evalsuite.results.task import TaskResult

SEPARATOR = " · "  # between a label and the runtime and precision it was opened in


@dataclass(frozen=True, slots=True)
class System:
    """One row of the report: variants that differ only in the task they were trained for.

    Attributes:
        name: family and the variables left, `student[seed=1]`; runtime and precision too where
            the same label was opened in several.
        models: one per variant.
    """

    name: str
    models: tuple[ModelInfo, ...]
    scores: tuple[TaskResult, ...]
    speeds: tuple[SpeedResult, ...]

    @property
    def label(self) -> Label:
        """The name, read."""
        return parse(self.name.partition(SEPARATOR)[0])

    @property
    def description(self) -> str:
        """Architecture, runtime and precision, and how many variants were merged."""
        parts = [self.models[0].architecture, self.opened_in]
        if len(self.models) > 1:
            parts.append(f"{len(self.models)} models")
        return SEPARATOR.join(parts)

    @property
    def opened_in(self) -> str:
        """Runtime and precision: `torch fp32`."""
        return _opened_in(self.models[0])


def task_variables(run: RunRecord) -> frozenset[str]:
    """The matrix variables that choose the target task.

    A variable does when variants that differ in nothing else each score a task that none of the
    others does, or when its only value names a task that the variant scores.
    """
    tasks: dict[Label, set[str]] = {}
    for score in run.scores:
        tasks.setdefault(parse(score.model.label), set()).add(score.task)
    chosen = set()
    for name in {name for label in tasks for name, _ in label.variables}:
        siblings: dict[Label, list[Label]] = {}
        for label in tasks:
            if name in dict(label.variables):
                siblings.setdefault(label.without({name}), []).append(label)
        several = [group for group in siblings.values() if len(group) > 1]
        if any(_each_has_its_own([tasks[label] for label in group]) for group in several) or (
            not several
            and all(
                dict(label.variables).get(name) in tasks[label]
                for label in tasks
                if name in dict(label.variables)
            )
        ):
            chosen.add(name)
    return frozenset(chosen)


def _each_has_its_own(sets: list[set[str]]) -> bool:
    """Whether every set holds something that no other one does."""
    return all(
        own - set().union(*(other for j, other in enumerate(sets) if j != i))
        for i, own in enumerate(sets)
    )


def group(run: RunRecord) -> tuple[System, ...]:
    """The systems of a run, in the order in which scores, then speeds, first name them."""
    chosen_by = task_variables(run)
    scores: dict[tuple[str, str], list[TaskResult]] = {}
    speeds: dict[tuple[str, str], list[SpeedResult]] = {}
    for score in run.scores:
        scores.setdefault(_key(score.model, chosen_by), []).append(score)
    for speed in run.speeds:
        speeds.setdefault(_key(speed.model, chosen_by), []).append(speed)
    keys = list(dict.fromkeys([*scores, *speeds]))
    names = [name for name, _ in keys]
    systems = []
    for key in keys:
        name, opened_in = key
        own_scores, own_speeds = tuple(scores.get(key, ())), tuple(speeds.get(key, ()))
        models = {
            m.label: m for m in (*(s.model for s in own_scores), *(s.model for s in own_speeds))
        }
        full_name = f"{name}{SEPARATOR}{opened_in}" if names.count(name) > 1 else name
        systems.append(System(full_name, tuple(models.values()), own_scores, own_speeds))
    return tuple(systems)


def _key(model: ModelInfo, chosen_by: frozenset[str]) -> tuple[str, str]:
    return str(parse(model.label).without(chosen_by)), _opened_in(model)


def _opened_in(model: ModelInfo) -> str:
    return f"{model.runtime} {model.precision}"
