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
from recipes.cli.cluster_lines import kind_name
from recipes.cli.outlook import Machine, Outlook
from recipes.cli.plan_facts import PlanFacts, StageFacts
from recipes.cli.plan_lines import total_of
from recipes.cluster.forecast import ClusterForecast
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
        "stages": [_stage(stage) | _slot(stage.label, facts.outlook) for stage in facts.stages],
        "total": _total(facts),
        "machine": _machine(facts.outlook.machine) if facts.outlook.machine else None,
        "cluster": _cluster(facts.outlook.cluster) if facts.outlook.cluster else None,
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
    total = total_of(facts.predictions(), facts.outlook.slots)
    return {
        "jobs": facts.outlook.jobs,
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


def _slot(label: str, outlook: Outlook) -> dict[str, Any]:
    """When and where a stage would run; nothing where stages run one after the other."""
    if (slot := outlook.slots.get(label)) is None:
        return {}
    when = {"begins_seconds": slot.begins, "ends_seconds": slot.ends}
    if (cluster := outlook.cluster) is None:
        return when
    taken, request = cluster.kind_of(label), cluster.requests[label]
    by_kind = {}
    for number, one in enumerate(cluster.kinds):
        found = one.predictions.get(label)
        known = found is not None and not found.unknown
        by_kind[kind_name(number)] = {
            "fits": found is not None,
            "predicted_seconds": found.seconds if found and known else None,
        }
    return {
        **when,
        "node_kind": None if taken is None else kind_name(taken),
        "asks": {"cpus": request.cpus, "gpus": request.gpus, "memory_bytes": request.memory},
        "by_node_kind": by_kind,
    }


def _cluster(cluster: ClusterForecast) -> dict[str, Any]:
    return {
        "grows": cluster.grows,
        "node_kinds": [
            {
                "name": kind_name(number),
                "nodes": [node.name for node in one.kind.nodes],
                "cpus": one.kind.least.cpus,
                "gpus": one.kind.least.gpus,
                "memory_bytes": one.kind.least.memory or None,
                "gpu": {"of": one.gpu.name, "bytes": one.gpu.bytes} if one.gpu else None,
                "probe": [dict(figure) for figure in one.figures],
            }
            for number, one in enumerate(cluster.kinds)
        ],
    }
