"""What `plan` prints: each stage in a row, what all of them take, and their memory.

>>> print(plan_table(facts))
stage    kind    state    key       time     disk
teacher  train   cached   5feceb66  took 4m  -
student  export  to make  7d0a1e55  ~2m 10s  119.2 MB
total: about 2m 10s, one stage after the other, with this machine as busy as it is now; 119.2 MB ...
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recipes.cli.cluster_lines import cluster_lines, node_of
from recipes.cli.memory_lines import aligned, memory_lines
from recipes.cli.outlook import Outlook
from recipes.cli.plan_facts import PlanFacts, StageFacts
from recipes.execution.display import duration
from recipes.execution.workspace import size_text
from recipes.parsing.knobs import assignment_text
from recipes.planning.list_schedule import Slot, end_of, most_at_once
from recipes.planning.time import Prediction

HEAD = ("stage", "kind", "state", "key", "time", "disk")


def plan_table(facts: PlanFacts) -> str:
    """One row per stage, in order of execution, with what it took or will take; then the totals.

    Of a search the stages of its first assignment, the report of all trials apart, and a line that
    says how many trials and assignments there are.
    """
    outlook, cluster = facts.outlook, facts.outlook.cluster
    rows = [HEAD, *(_row(stage) for stage in facts.stages)]
    if cluster is not None:
        kinds = [node_of(stage.label, cluster) for stage in facts.stages]
        rows = [(*row, kind) for row, kind in zip(rows, ["node", *kinds], strict=True)]
    table = aligned(rows)
    lines = total_lines(facts.predictions(), outlook.slots, _where(outlook))
    if cluster is not None:
        lines += cluster_lines(cluster)
        lines += memory_lines(facts.estimates(), "what nodes have is said above")
    else:
        lines += memory_lines(facts.estimates())
    lines += facts.notes
    if facts.feasible is None:
        return "\n".join([table, *lines])
    first = assignment_text(facts.assignment or {})
    head = f"search: {facts.feasible.text()}; below the stages of {first}"
    tail = "stages with a knob in their name are made once for each value of it that is tried"
    return "\n".join([head, "", table, "", tail, *lines])


@dataclass(frozen=True, slots=True)
class Total:
    """What all stages that are still to be made take.

    Attributes:
        seconds: one after the other, or until the last ends where some run at the same time.
        output: bytes of their results.
        working: bytes more that are on disk while a stage runs, at most.
        known, unknown: stages with a prediction, and without.
    """

    seconds: float
    output: float
    working: float
    known: int
    unknown: int


def total_of(found: Mapping[str, Prediction], slots: Mapping[str, Slot]) -> Total:
    """The sum of the predictions; with slots, what a run of them takes."""
    known = [one for one in found.values() if not one.unknown]
    working = {label: one.working for label, one in found.items()}
    return Total(
        seconds=end_of(slots) if slots else sum(one.seconds for one in known),
        output=sum(one.output for one in known),
        working=most_at_once(slots, working) if slots else max(working.values(), default=0.0),
        known=len(known),
        unknown=len(found) - len(known),
    )


def total_lines(
    found: Mapping[str, Prediction], slots: Mapping[str, Slot], where: str
) -> list[str]:
    """What the stages take that are still to be made; nothing where none is.

    Args:
        slots: when each runs, where some run at the same time.
        where: they run, and how many at the same time.
    """
    total = total_of(found, slots)
    reasons: dict[str, list[str]] = {}
    for label, one in found.items():
        if one.unknown:
            reasons.setdefault(one.unknown, []).append(label)
    lines = []
    if total.known:
        part = f" of the {total.known} stage(s) with a prediction" if reasons else ""
        lines.append(
            f"total{part}: {'at least' if slots else 'about'} {duration(total.seconds)}, {where}; "
            f"{size_text(total.output)} of results"
        )
        if total.working:
            lines[0] += f", and at most {size_text(total.working)} more while stages run"
    for reason, labels in reasons.items():
        lines.append(f"no prediction of time, {reason}: {', '.join(labels)}")
    return lines


def _where(outlook: Outlook) -> str:
    """`one stage after the other, with this machine as busy as it is now`."""
    if outlook.cluster is not None:
        count = len(outlook.cluster.nodes)
        return f"on {count} node{'' if count == 1 else 's'} as busy as now"
    if outlook.jobs > 1:
        return f"{outlook.jobs} stages at the same time, with this machine as busy as it is now"
    return "one stage after the other, with this machine as busy as it is now"


def _row(stage: StageFacts) -> tuple[str, ...]:
    head = stage.label, stage.planned.kind, stage.state, stage.planned.key[:8]
    if (record := stage.record) is not None:
        return *head, f"took {duration(record.seconds)}", size_text(record.output_bytes)
    found = stage.prediction
    if found is None or found.unknown:
        return *head, stage.guess or "unknown", "-"
    disk = size_text(found.output) if found.output else "-"
    return *head, f"~{duration(found.seconds)}", disk
