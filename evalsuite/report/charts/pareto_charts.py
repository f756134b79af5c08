"""Which Pareto charts a report has: their axes and their systems.

>>> [(chart.group, chart.title) for chart in charts(systems, tasks)]
[('', 'Average against size'), ('', 'Average against throughput'),
 ('Each task against size', 'XNLI'), ('Each task against size', 'UD-POS'), ...]
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from evalsuite.report.charts.chart import Chart, Point
from evalsuite.report.figures.costs import cost, first_setting
from evalsuite.report.figures.formatting import listed
from evalsuite.report.figures.labels import parse
from evalsuite.report.figures.machines import by_machine
from evalsuite.report.figures.pareto_front import front
from evalsuite.report.figures.scores import (
    TaskColumn,
    average,
    averaged_tasks,
    delta,
    most_comparable,
    score,
    scored_on,
)
from evalsuite.report.figures.systems import System

SHORT_RUN = 6  # characters of a run's name in a plot


@dataclass(frozen=True, slots=True)
class _Axis:
    title: str
    label: str
    smaller_is_better: bool
    values: dict[str, float]  # system -> x; 0 where it was not measured
    setting: str = ""  # of speeds, with the machine where there are several


def charts(systems: Sequence[System], tasks: Sequence[TaskColumn]) -> tuple[Chart, ...]:
    """The average against each axis, then each task against each axis; no empty charts.

    A run with one task has only the two charts of that task.
    """
    axes = _axes(systems)
    several = len(tasks) > 1
    drawn = []
    if averaged := averaged_tasks(systems, tasks):
        drawn += [_average_chart(systems, averaged, axis) for axis in axes]
    of_tasks = [_axes(systems, task) for task in tasks]
    for number, axis in enumerate(axes):
        group = f"Each task against {axis.title}" if several else ""
        drawn += [
            _task_chart(systems, task, own[number], group)
            for task, own in zip(tasks, of_tasks, strict=True)
        ]
    return tuple(chart for chart in drawn if chart.points)


def short_names(names: Sequence[str]) -> list[str]:
    """Names short enough for a chart, and still different from each other.

    >>> short_names(["teacher[size=base]", "teacher[size=large]", "int8[size=base]"])
    ['teacher[base]', 'teacher[large]', 'int8']
    >>> short_names(["xnli-base:int8", "xnli-large:int8"])
    ['xnli-b:int8', 'xnli-l:int8']
    """
    labels = [parse(name) for name in _with_short_runs(names)]
    families = [label.family for label in labels]
    values = [
        f"{label.family}[{','.join(value for _, value in label.variables)}]"
        if label.variables
        else label.family
        for label in labels
    ]
    short = [
        family if families.count(family) == 1 else value
        for family, value in zip(families, values, strict=True)
    ]
    return short if len(set(short)) == len(short) else list(names)


def _with_short_runs(names: Sequence[str]) -> list[str]:
    """The names, the runs before them cut to six characters or what tells them apart."""
    pairs = [name.partition(":") for name in names]
    runs = {run for run, _, _ in pairs}
    if len(runs) < 2 or not all(colon for _, colon, _ in pairs):
        return list(names)
    cut = {
        run: next(
            run[:size].rstrip("-_.")
            for size in range(min(SHORT_RUN, len(run)), len(run) + 1)
            if size == len(run) or sum(other.startswith(run[:size]) for other in runs) == 1
        )
        for run in runs
    }
    return [f"{cut[run]}:{rest}" for run, _, rest in pairs]


def _axes(systems: Sequence[System], task: TaskColumn | None = None) -> list[_Axis]:
    """Size, and throughput on each machine in the first setting it was measured in.

    Args:
        task: only the models that were scored on it count; default: all.
    """

    def scored(some: Sequence[System]) -> list[System]:
        return [scored_on(s, task) for s in some if score(s, task)] if task else [*some]

    sizes = {system.name: cost(system, None).bytes / 1e6 for system in scored(systems)}
    axes = [_Axis("size", "Size on disk (MB, log scale)", True, sizes)]
    for machine, measured in by_machine(systems):
        where = first_setting(scored(measured))
        rates = {s.name: cost(s, where).sentences_per_second or 0.0 for s in scored(measured)}
        title = f"throughput on {machine}" if machine else "throughput"
        label = f"Throughput (sentences/s, {where}, log scale)"
        timed = f"{where} on {machine}" if machine else str(where)
        axes.append(_Axis(title, label, False, rates, timed))
    return axes


def _average_chart(systems: Sequence[System], tasks: Sequence[TaskColumn], axis: _Axis) -> Chart:
    averages = {system.name: average(system, tasks) for system in systems}
    means = {name: a.mean for name, a in averages.items() if a}
    over = {name: a.over for name, a in averages.items() if a}
    fewer = {name for name in means if len(over[name]) < len(tasks)}
    whole = [system for system in systems if system.name in means and system.name not in fewer]
    alike: dict[tuple[object, ...], set[str]] = {}
    for system in whole:
        alike.setdefault(_scored_on(system, tasks), set()).add(system.name)
    other = {s.name for s in whole} - max(alike.values(), key=len, default=set())
    points = _points(systems, axis, means, fewer | other)
    caption = f"Average over {listed([task.name for task in tasks])}."
    partial = [p.name for p in points if p.name in fewer]
    fewer_tasks = [f"{name} ({listed([task.name for task in over[name]])})" for name in partial]
    if fewer_tasks:
        caption += (
            f" Hollow, and never on the front, because over fewer tasks: {listed(fewer_tasks)}."
        )
    caption += _not_comparable([p.name for p in points if p.name in other])
    caption += _not_timed(axis, means)
    title = f"Average against {axis.title}"
    return _chart(title, "Zero-shot average (%)", caption, axis, points)


def _scored_on(system: System, tasks: Sequence[TaskColumn]) -> tuple[object, ...]:
    """Languages, rows and metric of each task; averages over the same ones can be compared."""
    cells = [score(system, task) for task in tasks]
    return tuple((cell.languages, cell.rows, cell.methods) for cell in cells if cell)


def _task_chart(systems: Sequence[System], task: TaskColumn, axis: _Axis, group: str) -> Chart:
    cells = {system.name: score(system, task) for system in systems}
    means = {name: cell.mean for name, cell in cells.items() if cell and cell.mean is not None}
    title = task.name if group else f"{task.name} against {axis.title}"
    label = f"Zero-shot {task.title} (%)"
    first = most_comparable(cells.values())
    other = {name for name in means if delta(cells[name], first) is None}
    intervals = {name: cell.interval for name, cell in cells.items() if cell}
    points = _points(systems, axis, means, other, intervals)
    caption = _not_comparable([p.name for p in points if p.partial]) + _not_timed(axis, means)
    return _chart(title, label, caption.strip(), axis, points, group)


def _not_comparable(names: list[str]) -> str:
    """Systems scored on other rows or languages than most, or in another way."""
    if not names:
        return ""
    why = "because on other rows or languages, or scored in another way"
    return f" Hollow, and never on the front, {why}: {listed(names)}."


def _not_timed(axis: _Axis, means: Collection[str]) -> str:
    """Systems with a score and without a speed or size, which a chart has no place for."""
    names = [name for name in means if not axis.values.get(name)]  # some on another machine alone
    if not names:
        return ""
    why = f"not timed with {axis.setting}" if axis.setting else "of a size that is not known"
    return f" Not in the chart, because {why}: {listed(names)}."


def _points(
    systems: Sequence[System],
    axis: _Axis,
    means: dict[str, float],
    partial: Collection[str],
    intervals: Mapping[str, tuple[float, float] | None] | None = None,
) -> tuple[Point, ...]:
    labels = short_names([system.name for system in systems])
    return tuple(
        Point(
            system.name,
            labels[i],
            axis.values[system.name],
            means[system.name],
            i,
            system.name in partial,
            (intervals or {}).get(system.name),
        )
        for i, system in enumerate(systems)
        if system.name in means and axis.values.get(system.name, 0.0) > 0
    )


def _chart(
    title: str, y_label: str, caption: str, axis: _Axis, points: tuple[Point, ...], group: str = ""
) -> Chart:
    whole = [i for i, point in enumerate(points) if not point.partial]
    kept = front(
        [(points[i].x, points[i].y) for i in whole], smaller_is_better=axis.smaller_is_better
    )
    chart = Chart(
        title=title,
        caption=caption,
        x_label=axis.label,
        y_label=y_label,
        points=points,
        front=tuple(whole[i] for i in kept),
        group=group,
    )
    return replace(chart, caption=f"{caption} {chart.not_labelled}".strip())
