"""What a search tried, and which trial it recommends."""

from __future__ import annotations

from math import prod

from evalsuite.report.figures.formatting import (
    NONE,
    listed,
    megabytes,
    number,
    percent,
    points,
)
from evalsuite.report.figures.trials import over_budget, within
from evalsuite.report.figures.verdict import candidate_name, limit, verdict
from evalsuite.report.section import Content, Part, ReportTable
from evalsuite.report.table import Cell, Column, Row, Table
from evalsuite.results.search import Search


def search_table(search: Search | None) -> Table:
    """One row per trial, in the order of the trials; no rows without a search."""
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
        reason = [Cell("not possible", sub=trial.refused), Cell("")]
        return Row(Cell(str(i + 1)), (*chosen, *empty, *reason), "aside")
    is_best, judged = i == search.recommended, over_budget(search, trial) is not None
    cells = (
        Cell(percent(trial.average), points(trial.difference)),
        Cell(megabytes(trial.bytes)),
        Cell(number(trial.p50_ms)),
        Cell(number(trial.sentences_per_second)),
        Cell(("within" if within(search, trial) else "over") if judged else NONE),
        Cell("on it" if trial.on_front else ""),
    )
    head = Cell(str(i + 1), sub="recommended" if is_best else "")
    return Row(head, (*chosen, *cells), "best" if is_best else "")


def _notes(search: Search) -> list[str]:
    assignments = prod(len(values) for values in search.knobs.values())
    made = sum(not trial.refused for trial in search.trials)
    refused = len(search.trials) - made
    count = f"{made} trial{'' if made == 1 else 's'} made"
    if refused:
        count += f", {refused} not possible"
    axis = "latency" if search.budget == "ms" else "size"
    notes = [
        f"{count}, of {assignments} assignments and {search.most} trials allowed. "
        f"Judged by {search.candidate}, within {limit(search)}.",
        f"Front: trials that no other one beats in both average and {axis}. "
        "Assignments that were not tried may be better.",
    ]
    if any(trial.difference is not None for trial in search.trials):
        notes.append(f"Differences are in points against {search.reference}.")
    several = [candidate_name(search, t) for t in search.trials if len(t.systems) > 1]
    if several:
        notes.append(f"Each figure is the mean over the variants of {listed(several)}.")
    if search.budget == "ms":
        notes.append(
            "Latencies vary from one measurement to the next; each was measured once. Where trials "
            "were timed on several machines or with several numbers of threads, the tables of "
            "costs name them."
        )
    return notes


def _parts(content: Content) -> list[Part]:
    search = content.run.search
    if search is None:
        return []
    return [Part(search_table(search), label="Trials of the search", lead=verdict(search))]


TABLE = ReportTable("search", order=20, title="Search", parts=_parts)
