"""What `plan --json` prints: the facts of a plan as one JSON object, for scripts.

>>> print(plan_json(facts))
{
  "format": 1,
  "recipe": "demo",
  "stages": [
    {"stage": "teacher", "kind": "train", "state": "to make", "key": "5feceb66...", ...

Sizes are bytes and times are seconds. What is not known is null, with the reason next to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from evalsuite.machine.memory import Memory
from recipes.cli.plan_facts import Machine, PlanFacts, StageFacts
from recipes.cli.plan_lines import total_of
from recipes.planning.memory import Estimate

FORMAT = 1  # raised when a key means something else, or is no longer there


def plan_json(facts: PlanFacts) -> str:
    """One object, indented."""
    return json.dumps(as_values(facts), indent=1, ensure_ascii=False)


def as_values(facts: PlanFacts) -> dict[str, Any]:
    """The facts as plain values."""
    recipe = facts.loaded.recipe
    return {
        "format": FORMAT,
        "recipe": recipe.name,
        "source": recipe.source,
        "seed": recipe.seed,
        "search": _search(facts),
        "stages": [_stage(stage) for stage in facts.stages],
        "total": _total(facts),
        "machine": _machine(facts.machine),
        "notes": list(facts.notes),
    }


def _search(facts: PlanFacts) -> dict[str, Any] | None:
    feasible = facts.feasible
    if feasible is None:
        return None
    return {
        "trials": feasible.trials,
        "assignments": feasible.count,
        "refused": feasible.refused,
        "assignment": dict(facts.assignment or {}),
    }


def _stage(stage: StageFacts) -> dict[str, Any]:
    record, prediction = stage.record, stage.prediction
    known = prediction is not None and not prediction.unknown
    return {
        "stage": stage.label,
        "kind": stage.planned.kind,
        "state": stage.state,
        "key": stage.planned.key,
        "inputs": {role: list(labels) for role, labels in stage.planned.inputs.items()},
        "work": stage.guess or None,
        "took_seconds": record.seconds if record else None,
        "took_disk_bytes": record.output_bytes if record else None,
        "predicted_seconds": prediction.seconds if prediction and known else None,
        "seconds_by_part": dict(prediction.parts) if prediction and known else None,
        "disk_bytes": round(prediction.output) if prediction and known else None,
        "working_disk_bytes": round(prediction.working) if prediction and known else None,
        "time_unknown": (prediction.unknown or None) if prediction else None,
        "memory": None if isinstance(stage.memory, str) else _memory(stage.memory),
        "memory_unknown": stage.memory if isinstance(stage.memory, str) else None,
    }


def _memory(one: Estimate) -> dict[str, Any]:
    return {
        **_bytes(one.need),
        "fits": one.fits if one.place.bytes else None,
        "with_other_keys": [
            {"keys": dict(change), **_bytes(need), "fits": one.within(need)}
            for change, need in one.less
        ],
    }


def _bytes(need: Memory) -> Mapping[str, Any]:
    return {"bytes": need.total, "parts": dict(need.parts), "parts_overlap_bytes": need.apart}


def _total(facts: PlanFacts) -> dict[str, Any]:
    total = total_of(facts.predictions())
    return {
        "predicted_seconds": total.seconds,
        "disk_bytes": round(total.output),
        "working_disk_bytes": round(total.working),
        "stages_predicted": total.known,
        "stages_not_predicted": total.unknown,
    }


def _machine(machine: Machine) -> dict[str, Any]:
    return {
        "cores": machine.cores,
        "threads": machine.threads,
        "memory": {"of": machine.place.name, "bytes": machine.place.bytes or None},
        "probe": [dict(figure) for figure in machine.figures],
    }
