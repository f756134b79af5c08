"""A search in one sentence: the trial it recommends, or that there is none.

>>> verdict(search)
'Recommended, the best average within 20 MB: int8[layers=3,width=192], 61.2 zero-shot, 17.3 MB.'
"""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.report.figures.formatting import number, percent, points, size
from evalsuite.report.figures.labels import Label
from evalsuite.report.figures.seeds import seed_groups
from evalsuite.report.figures.systems import System
from evalsuite.report.figures.trials import over_budget
from evalsuite.results.search import Search, Trial


def verdict(search: Search) -> str:
    """The recommended trial in one sentence, or that there is none."""
    if search.recommended is not None:
        trial = search.trials[search.recommended]
        aim = "the smallest" if search.budget == "points" else "the best average"
        best = f"{candidate_name(search, trial)}, {summary_line(trial)}"
        return f"Recommended, {aim} within {limit(search)}: {best}."
    over = [
        (found, at)
        for at, trial in enumerate(search.trials)
        if trial.average is not None and (found := over_budget(search, trial)) is not None
    ]
    if not over:
        return f"No trial could be judged by the budget of {limit(search)}."
    nearest = search.trials[min(over)[1]]
    return (
        f"No trial is within {limit(search)}; the nearest: "
        f"{candidate_name(search, nearest)}, {summary_line(nearest)}. "
        "Widen the budget, or give the knobs other values."
    )


def limit(search: Search) -> str:
    """The budget in words: `20 MB`, `1 point of teacher`."""
    amount = f"{search.limit:g}"
    if search.budget == "points":
        return f"{amount} point{'' if search.limit == 1 else 's'} of {search.reference}"
    return f"{amount} {search.budget}" + (" per sentence (p50)" if search.budget == "ms" else "")


def candidate_name(search: Search, trial: Trial) -> str:
    """The label of the candidate in a trial."""
    if len(trial.systems) == 1:
        return trial.systems[0]
    return str(Label(search.candidate, tuple(trial.assignment.items())))


def summary_line(trial: Trial) -> str:
    """Score and cost of a trial in one line."""
    difference = f" ({points(trial.difference)})" if trial.difference is not None else ""
    parts = [f"{percent(trial.average)}{difference} zero-shot"]
    if trial.bytes is not None:
        parts.append(size(trial.bytes))
    if trial.p50_ms is not None:
        parts.append(f"{number(trial.p50_ms)} ms")
    return ", ".join(parts)


def headline_systems(systems: Sequence[System], search: Search | None) -> Sequence[System]:
    """The systems of the headline: after a search, the first one and those recommended.

    Of the first one all seeds.
    """
    if not systems or search is None or search.recommended is None:
        return systems
    names = {systems[0].name, *search.trials[search.recommended].systems}
    for members in seed_groups(systems).values():
        if members[0] is systems[0]:
            names.update(system.name for system in members)
    return [system for system in systems if system.name in names]
