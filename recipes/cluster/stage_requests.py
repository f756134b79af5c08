"""Processors, GPUs and memory of each stage; refuses what no node has.

>>> nodes = [Node("a", 8, 1, 32_000_000_000)]
>>> requests_of(plan, plan.stages, nodes, jobs=1, grows=False)["teacher"]
Request(cpus=8, gpus=1, memory=0)

What a stage or the recipe says in `resources:` counts. Else each node makes `jobs` stages at the
same time, or one per GPU if it has more GPUs, and they share its processors. Where nodes differ, a
stage asks for what the smallest that has its GPUs can give, so that it computes with as many
threads wherever it runs. RAM is what `lingopress plan` estimates; a stage on a GPU asks for none.
"""

from __future__ import annotations

from collections.abc import Sequence

from evalsuite.machine.memory import Place
from recipes.cluster.protocol import ClusterError, Node, Request
from recipes.execution.scheduler import alone, threads
from recipes.planning.memory import estimate
from recipes.planning.planned import Plan, Planned
from recipes.stages._shared.resources import Resources


def requests_of(
    plan: Plan, stages: Sequence[Planned], nodes: Sequence[Node], jobs: int, *, grows: bool
) -> dict[str, Request]:
    """What these stages of a plan ask for, by label.

    Raises:
        ClusterError: no node has as much, and none will come that has.
    """
    found = requests_for(plan, stages, nodes, jobs)
    refused = [
        f"  {label} needs {request.text()}"
        for label, request in found.items()
        if not grows and not any(request.fits(node) for node in nodes)
    ]
    if refused:
        raise ClusterError(
            "no node of the cluster has what these stages need:\n"
            + "\n".join(refused)
            + "\nthe cluster has:\n"
            + "\n".join(f"  {node.text()}" for node in nodes)
            + "\nadd a node, or say less in the stage's resources: {cpus: 2, memory: 4 GB}"
        )
    return found


def requests_for(
    plan: Plan, stages: Sequence[Planned], nodes: Sequence[Node], jobs: int
) -> dict[str, Request]:
    """The same, whether or not a node has as much.

    Raises:
        ClusterError: no node has CPUs.
    """
    working = [node for node in nodes if node.cpus]
    if not working:
        raise ClusterError("no node of the cluster has CPUs for stages\nstart one: ray start")
    memory = {label: one.need.total for label, one in estimate(plan, Place("RAM", 0)).items()}
    return {
        stage.label: _request(plan, stage, working, jobs, memory.get(stage.label, 0))
        for stage in stages
    }


def _request(plan: Plan, stage: Planned, nodes: Sequence[Node], jobs: int, memory: int) -> Request:
    asked = stage.config.resources or plan.loaded.recipe.resources or Resources()
    processes = getattr(stage.config, "processes", None) or 1
    gpus = asked.gpus
    if gpus is None:  # a stage that holds a model computes on a GPU where there is one
        holds_model = hasattr(stage.module, "memory") and not alone(stage)
        gpus = processes if holds_model and any(node.gpus for node in nodes) else 0
    suited = [node for node in nodes if node.gpus >= gpus] or list(nodes)
    if alone(stage):  # all of a node, and of the same node every time
        cpus = max(node.cpus for node in suited)
    else:
        smallest = min(suited, key=lambda node: node.cpus)
        share = max(jobs, smallest.gpus // gpus if gpus else 1)
        cpus = max(threads(plan, stage, share, smallest.cpus), processes)
    need = asked.bytes
    if need is None:
        need = 0 if gpus else memory
    return Request(asked.cpus or cpus, gpus, need)
