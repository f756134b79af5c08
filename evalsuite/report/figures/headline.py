"""The report in one sentence, made of figures that exist.

>>> headline(systems, tasks)
'int8: 7.3× smaller and 9.1× faster than teacher, −1.8 points zero-shot on average over 3 tasks.'
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from evalsuite.report.figures.costs import Cost, compared, cost, first_setting
from evalsuite.report.figures.formatting import listed, percent, points, size
from evalsuite.report.figures.scores import TaskColumn, average, can_be_averaged, delta, score
from evalsuite.report.figures.seeds import over_seeds
from evalsuite.report.figures.systems import System


def headline(systems: Sequence[System], tasks: Sequence[TaskColumn]) -> str:
    """The smallest system compared with the first, or the first system alone.

    Systems that differ in the seed alone are one: no seed is picked, the figures are means.
    """
    if not systems:
        return "Nothing was measured in this run."
    one_each = {system.name for system in systems}
    systems = over_seeds(systems, tasks)
    where = first_setting(systems)
    costs = [cost(system, where) for system in systems]
    small = min(range(len(systems)), key=lambda i: costs[i].bytes)
    if costs[small].bytes >= costs[0].bytes:
        return _alone(systems[0], tasks, _means([systems[0]], one_each))
    smaller = compared(costs[0].bytes, costs[small].bytes, "smaller", "larger")
    gains = [gain for gain in (smaller, _speed_gain(costs[small], costs[0])) if gain]
    if not gains:
        return _alone(systems[0], tasks, _means([systems[0]], one_each))
    text = f"{systems[small].name}: {listed(gains)} than {systems[0].name}"
    means = _means([systems[small], systems[0]], one_each)
    return text + _loss(systems[small], systems[0], tasks) + means + "."


def _means(named: Sequence[System], one_each: Collection[str]) -> str:
    """`, means over seeds` where a system that is named stands for several."""
    return ", means over seeds" if any(own.name not in one_each for own in named) else ""


def _speed_gain(small: Cost, first: Cost) -> str:
    rate, base = small.sentences_per_second, first.sentences_per_second
    if not rate or not base or small.texts != first.texts:
        return ""
    return compared(base, rate, "slower", "faster")


def _loss(small: System, first: System, tasks: Sequence[TaskColumn]) -> str:
    """Points of zero-shot score, over the tasks on which the two can be compared."""
    if not can_be_averaged(tasks):
        return ""
    deltas = {task: delta(score(small, task), score(first, task)) for task in tasks}
    both = {task: value for task, value in deltas.items() if value is not None}
    if not both:
        return ""
    text = points(sum(both.values()) / len(both))
    if len(both) == 1:
        return f", {text}\u00a0points zero-shot on {next(iter(both)).name}"
    return f", {text}\u00a0points zero-shot on average over {len(both)} tasks"


def _alone(system: System, tasks: Sequence[TaskColumn], means: str) -> str:
    text = f"{system.name}: {size(sum(m.bytes for m in system.models) / len(system.models))}"
    zero_shot = average(system, tasks) if can_be_averaged(tasks) else None
    if zero_shot is None:
        return f"{text}{means}."
    over = (
        zero_shot.over[0].name
        if len(zero_shot.over) == 1
        else f"average over {len(zero_shot.over)} tasks"
    )
    return f"{text}, {percent(zero_shot.mean)} zero-shot on {over}{means}."
