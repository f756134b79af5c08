"""Which models of a run are sizes of one elastic student.

>>> [[system.name for system in curve.systems] for curve in size_curves(run, systems)]
[['three', 'four', 'student']]

A model is one of its sizes where `cut`, `export` or `trim` made it, in one or several steps, of a
student that was distilled with `elastic`. Sizes with another vocabulary, or opened in another
runtime or precision, make another curve.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalsuite.report.figures.costs import cost
from evalsuite.report.figures.labels import parse
from evalsuite.report.figures.systems import System, task_variables
from evalsuite.results.run import RunRecord, StageRecord

_PASSED = ("cut", "export", "trim")  # kinds of stages that leave what a cut was trained for
_CHOOSE_PIECES = (  # keys of a trim; the others name it, or say what it may lose
    "languages",
    "text",
    "coverage",
    "min_count",
    "max_pieces",
    "prior",
    "max_lines",
)
_STORED = ("embeddings", "exclude", "keep_tokens", "last_layer")


@dataclass(frozen=True, slots=True)
class SizeCurve:
    """The sizes of one student that were scored, the smallest first.

    Attributes:
        student: label of the stage that trained it, without what chooses the task.
    """

    student: str
    opened_in: str
    systems: tuple[System, ...]


def size_curves(run: RunRecord, systems: Sequence[System]) -> tuple[SizeCurve, ...]:
    """One per elastic student, vocabulary, runtime and precision with two scored sizes or more."""
    stages, chosen_by = {stage.name: stage for stage in run.stages}, task_variables(run)
    groups: dict[tuple[str, ...], list[System]] = {}
    for system in systems:
        origin = _origin(system.models[0].label, stages) if system.scores else ()
        if origin:
            student, *how = origin
            name = str(parse(student).without(chosen_by))
            groups.setdefault((system.opened_in, name, *how), []).append(system)
    return tuple(
        SizeCurve(student, opened_in, tuple(sorted(members, key=megabytes)))
        for (opened_in, student, *_), members in groups.items()
        if len({megabytes(member) for member in members}) > 1
    )


def _origin(label: str, stages: Mapping[str, StageRecord]) -> tuple[str, ...]:
    """The stage that trained the student, then how it was trimmed and stored; none of another."""
    how: list[str] = []
    while (stage := stages.get(label)) is not None and stage.kind in _PASSED and stage.inputs:
        if stage.kind == "trim":
            how.append(json.dumps([stage.config.get(key) for key in _CHOOSE_PIECES]))
        if stage.kind == "export":  # these change size and score as well
            how += [f"{key} {stage.config.get(key)}" for key in _STORED]
        label = stage.inputs[0]
    if stage is None or stage.kind != "distill" or not stage.config.get("elastic"):
        return ()
    return label, *how


def megabytes(system: System) -> float:
    """Size on disk, mean over a system's models."""
    return cost(system, None).bytes / 1e6
