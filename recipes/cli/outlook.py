"""What stages would take: on this machine, one or some at the same time, or on a cluster.

>>> found = on_this_machine(plan, text, ["teacher"], jobs=1, probe_with=lambda threads: Probe())
>>> found.predictions["teacher"].seconds, found.memory["teacher"].fits
(250.3, True)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from evalsuite.machine import environment
from evalsuite.machine.memory import Place, machine_memory
from evalsuite.machine.probe import Probe
from recipes.cluster.forecast import ClusterForecast, forecast
from recipes.cluster.open_cluster import OpenCluster
from recipes.execution.output_capture import capture
from recipes.execution.run_options import RunOptions
from recipes.execution.scheduler import alone, threads
from recipes.execution.workspace import Workspace
from recipes.planning.list_schedule import Slot, list_schedule
from recipes.planning.memory import Estimate, estimate_or_reason
from recipes.planning.planned import Plan
from recipes.planning.time import Prediction, work_of
from recipes.stages._shared.planned_text import PlannedText


@dataclass(frozen=True, slots=True)
class Machine:
    """This machine.

    Attributes:
        threads: that a stage computes with when it runs alone.
        figures: what the probe measured; see `evalsuite.machine.probe.Probe.figures`.
    """

    cores: int
    threads: int
    place: Place
    figures: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What stages would take, by label.

    Attributes:
        predictions: of the stages that are still to be made.
        memory: of all stages.
        slots: when each would run, where some run at the same time; empty where none do.
        machine: None where the stages would run on a cluster.
        jobs: stages at the same time, on this machine or on each node.
    """

    predictions: Mapping[str, Prediction]
    memory: Mapping[str, Estimate | str]
    slots: Mapping[str, Slot] = field(default_factory=dict)
    machine: Machine | None = None
    cluster: ClusterForecast | None = None
    jobs: int = 1


def on_this_machine(
    plan: Plan,
    text: PlannedText,
    labels: Sequence[str],
    jobs: int,
    probe_with: Callable[[int | None], Probe],
) -> Outlook:
    """Measure this machine.

    Args:
        labels: of the stages that are still to be made.
        probe_with: a probe for a number of threads; None: as many as torch has.
    """
    probes: dict[int | None, Probe] = {}
    predictions: dict[str, Prediction] = {}
    cores = environment.threads()
    stages = {stage.label: stage for stage in plan.stages}
    for label, work in work_of(plan, text, labels).items():
        if isinstance(work, str):
            predictions[label] = Prediction(unknown=work)
            continue
        shared = jobs > 1 and not alone(stages[label])
        count = threads(plan, stages[label], jobs, cores) if shared else None
        if count not in probes:
            probes[count] = probe_with(count)
        predictions[label] = Prediction(work.seconds(probes[count]), work.output, work.working)
    place = machine_memory()
    figures = [
        {"threads": count or cores, **figure}
        for count, probe in probes.items()
        for figure in probe.figures()
    ]
    return Outlook(
        predictions,
        estimate_or_reason(plan, place, text),
        _slots(plan, predictions, jobs),
        Machine(environment.cores(), cores, place, figures),
        jobs=jobs,
    )


def on_cluster(
    plan: Plan,
    text: PlannedText,
    labels: Sequence[str],
    opened: OpenCluster,
    space: Workspace,
    options: RunOptions,
) -> Outlook:
    """Measure one node of each kind.

    Raises:
        ClusterError: no node has CPUs, or a node does not answer.
    """
    # Ray prints what it notices about nodes.
    with nullcontext() if options.debug else capture(space.logs / "cluster.log"):
        found = forecast(opened, plan, labels, text, options.jobs)
    memory = estimate_or_reason(plan, Place("RAM", 0), text)
    return Outlook(
        {label: found.prediction(label) for label in found.requests},
        memory | {label: found.memory(label) for label in found.requests},
        found.slots,
        cluster=found,
        jobs=options.jobs,
    )


def _slots(plan: Plan, predictions: Mapping[str, Prediction], jobs: int) -> dict[str, Slot]:
    """When each stage would run, with `--jobs`: one per job, or a stage that must run alone."""
    if jobs == 1:
        return {}
    asks = {
        stage.label: (jobs if alone(stage) else 1,)
        for stage in plan.stages
        if stage.label in predictions
    }
    return list_schedule(
        plan.graph(), asks, [(jobs,)], lambda label, place: predictions[label].seconds
    )
