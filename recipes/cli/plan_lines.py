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

from recipes.cli.memory_lines import aligned, memory_lines
from recipes.cli.plan_facts import PlanFacts, StageFacts
from recipes.execution.display import duration
from recipes.execution.workspace import size_text
from recipes.parsing.knobs import assignment_text
from recipes.planning.time import Prediction

HEAD = ("stage", "kind", "state", "key", "time", "disk")


def plan_table(facts: PlanFacts) -> str:
    """One row per stage, in order of execution, with what it took or will take; then the totals.

    Of a search the stages of its first assignment, the report of all trials apart, and a line that
    says how many trials and assignments there are.
    """
    table = aligned([HEAD, *(_row(stage) for stage in facts.stages)])
    lines = [*total_lines(facts.predictions()), *memory_lines(facts.estimates()), *facts.notes]
    if facts.feasible is None:
        return "\n".join([table, *lines])
    first = assignment_text(facts.assignment or {})
    head = f"search: {facts.feasible.text()}; below the stages of {first}"
    tail = "stages with a knob in their name are made once for each value of it that is tried"
    return "\n".join([head, "", table, "", tail, *lines])


@dataclass(frozen=True, slots=True)
class Total:
    """What all stages that are still to be made take, one after the other.

    Attributes:
        output: bytes of their results.
        working: bytes more that are on disk while a stage runs, at most.
        known, unknown: stages with a prediction, and without.
    """

    seconds: float
    output: float
    working: float
    known: int
    unknown: int


def total_of(found: Mapping[str, Prediction]) -> Total:
    """The sum of the predictions."""
    known = [one for one in found.values() if not one.unknown]
    return Total(
        seconds=sum(one.seconds for one in known),
        output=sum(one.output for one in known),
        working=max((one.working for one in known), default=0.0),
        known=len(known),
        unknown=len(found) - len(known),
    )


def total_lines(found: Mapping[str, Prediction]) -> list[str]:
    """What the stages take that are still to be made; nothing where none is."""
    total = total_of(found)
    reasons: dict[str, list[str]] = {}
    for label, one in found.items():
        if one.unknown:
            reasons.setdefault(one.unknown, []).append(label)
    lines = []
    if total.known:
        part = f" of the {total.known} stage(s) with a prediction" if reasons else ""
        lines.append(
            f"total{part}: about {duration(total.seconds)}, one stage after the other, with this "
            f"machine as busy as it is now; {size_text(total.output)} of results"
        )
        if total.working:
            lines[0] += f", and at most {size_text(total.working)} more while a stage runs"
    for reason, labels in reasons.items():
        lines.append(f"no prediction of time, {reason}: {', '.join(labels)}")
    return lines


def _row(stage: StageFacts) -> tuple[str, ...]:
    head = stage.label, stage.planned.kind, stage.state, stage.planned.key[:8]
    if (record := stage.record) is not None:
        return *head, f"took {duration(record.seconds)}", size_text(record.output_bytes)
    found = stage.prediction
    if found is None or found.unknown:
        return *head, stage.guess or "unknown", "-"
    disk = size_text(found.output) if found.output else "-"
    return *head, f"~{duration(found.seconds)}", disk
