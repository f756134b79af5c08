"""What a search tried, and which trial it recommends.

>>> verdict(search)
'Recommended, the best average within 20 MB: int8[layers=3,width=192], 61.2 zero-shot, 17.3 MB.'
"""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.report.figures.formatting import (
    NONE,
    listed,
    megabytes,
    number,
    percent,
    points,
    size,
)
from evalsuite.report.figures.labels import Label
from evalsuite.report.figures.systems import System
from evalsuite.report.figures.trials import expense
from evalsuite.report.tables.table import Cell, Column, Row, Table
from evalsuite.results.search import Search, Trial


def search_table(search: Search | None) -> Table:
    """One row a trial, in the order in which they were made; no rows without a search."""
    if search is None:
        return Table("Trial", (), ())
    heads = (
        *(Column(knob, numeric=False) for knob in search.knobs),
        Column("Average", "zero-shot, %"),
        Column("Size", "MB"),
        Column("p50", "ms, batch\u00a01"),
        Column("Throughput", "sentences/s"),
        Column("Budget", numeric=False),
        Column("Front", numeric=False),
    )
    rows = [_row(search, i) for i in range(len(search.trials))]
    return Table("Trial", heads, tuple(rows), tuple(_notes(search)))


def _row(search: Search, i: int) -> Row:
    trial = search.trials[i]
    chosen = [Cell(trial.assignment[knob]) for knob in search.knobs]
    if trial.refused:
        empty = [Cell(NONE)] * 4
        told = [Cell("cannot be", sub=trial.refused), Cell("")]
        return Row(Cell(str(i + 1)), (*chosen, *empty, *told), "aside")
    is_best = i == search.recommended
    cells = (
        Cell(percent(trial.average), points(trial.difference)),
        Cell(megabytes(trial.bytes)),
        Cell(number(trial.p50_ms)),
        Cell(number(trial.sentences_per_second)),
        Cell("within" if trial.within else "over"),
        Cell("on it" if trial.on_front else ""),
    )
    head = Cell(str(i + 1), sub="recommended" if is_best else "")
    return Row(head, (*chosen, *cells), "mean" if is_best else "")


def verdict(search: Search) -> str:
    """The recommended trial in one sentence, or that there is none."""
    if search.recommended is not None:
        trial = search.trials[search.recommended]
        aim = "the smallest" if search.budget == "points" else "the best average"
        return f"Recommended, {aim} within {limit(search)}: {name(search, trial)}, {told(trial)}."
    measured = [
        trial
        for trial in search.trials
        if trial.average is not None and expense(search.budget, trial) is not None
    ]
    if not measured:
        return f"No trial could be judged by the budget of {limit(search)}."
    if search.budget == "points":
        near = max(measured, key=lambda trial: trial.average or 0.0)
    else:
        near = min(measured, key=lambda trial: expense(search.budget, trial) or 0.0)
    return (
        f"No trial is within {limit(search)}; the nearest: {name(search, near)}, {told(near)}. "
        "Widen the budget, or give the knobs other values."
    )


def limit(search: Search) -> str:
    """The budget in words: `20 MB`, `1 point of teacher`."""
    amount = f"{search.limit:g}"
    if search.budget == "points":
        return f"{amount} point{'' if search.limit == 1 else 's'} of {search.reference}"
    return f"{amount} {search.budget}" + (" a sentence (p50)" if search.budget == "ms" else "")


def name(search: Search, trial: Trial) -> str:
    """The candidate as labels have it."""
    if len(trial.systems) == 1:
        return trial.systems[0]
    return str(Label(search.candidate, tuple(trial.assignment.items())))


def told(trial: Trial) -> str:
    """What a trial scores and costs."""
    apart = f" ({points(trial.difference)})" if trial.difference is not None else ""
    said = [f"{percent(trial.average)}{apart} zero-shot"]
    if trial.bytes is not None:
        said.append(size(trial.bytes))
    if trial.p50_ms is not None:
        said.append(f"{number(trial.p50_ms)} ms")
    return ", ".join(said)


def headline_systems(systems: Sequence[System], search: Search | None) -> Sequence[System]:
    """Whom the headline is about: after a search the first system and the recommended ones."""
    if search is None or search.recommended is None:
        return systems
    chosen = search.trials[search.recommended].systems
    return [own for i, own in enumerate(systems) if i == 0 or own.name in chosen]


def _notes(search: Search) -> list[str]:
    there = 1
    for values in search.knobs.values():
        there *= len(values)
    made = sum(not trial.refused for trial in search.trials)
    refused = len(search.trials) - made
    count = f"{made} trial{'' if made == 1 else 's'} made"
    if refused:
        count += f", {refused} could not be"
    axis = "latency" if search.budget == "ms" else "size"
    notes = [
        f"{count}, of {there} assignments and {search.most} trials allowed. "
        f"Judged by {search.candidate}, within {limit(search)}.",
        f"Front: trials that no other one beats in both average and {axis}. "
        "Assignments that were not tried may be better.",
    ]
    if any(trial.difference is not None for trial in search.trials):
        notes.append(f"Differences are in points against {search.reference}.")
    several = [name(search, t) for t in search.trials if len(t.systems) > 1]
    if several:
        notes.append(f"Each figure is the mean over the variants of {listed(several)}.")
    if search.budget == "ms":
        notes.append("Latencies vary from one measurement to the next; each was measured once.")
    return notes
