"""What stages would take on the nodes of a cluster, and which kind of node each would run on.

>>> found = forecast(opened, plan, ["teacher", "student"], SourceText(plan.data), jobs=1)
>>> found.total, found.slots["student"].place, found.kind_of("student")
(840.5, 2, 1)

One node of each kind is measured. A stage asks for what it asks for in a run (`stage_requests`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalsuite.machine.memory import Place
from evalsuite.machine.work import Work
from recipes.cluster.node_kinds import NodeKind, kinds_of
from recipes.cluster.node_probe import Asked, StageWork
from recipes.cluster.open_cluster import OpenCluster
from recipes.cluster.protocol import Request
from recipes.cluster.stage_requests import requests_for
from recipes.planning.list_schedule import Slot, end_of, list_schedule
from recipes.planning.memory import Estimate, estimate_or_reason
from recipes.planning.planned import Plan
from recipes.planning.time import Prediction, work_of
from recipes.stages._shared.planned_text import PlannedText


@dataclass(frozen=True, slots=True)
class KindForecast:
    """What stages would take on one kind of node.

    Attributes:
        gpu: the GPU of these nodes; None where no stage would use one.
        predictions: of the stages that fit on such a node, by label.
        memory: of all stages, by label, compared with what such a node has.
        figures: what the probe measured there.
    """

    kind: NodeKind
    gpu: Place | None
    predictions: Mapping[str, Prediction]
    memory: Mapping[str, Estimate | str]
    figures: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ClusterForecast:
    """What the cluster would do with the stages.

    Attributes:
        requests: what each stage asks a node for, by label.
        slots: when each stage runs, and on which of the `nodes`, counted from 0.
        nodes: the kind of each node, counted from 0.
        grows: whether the cluster adds nodes when stages ask for what it does not have.
    """

    kinds: Sequence[KindForecast]
    requests: Mapping[str, Request]
    slots: Mapping[str, Slot]
    nodes: Sequence[int]
    grows: bool

    @property
    def total(self) -> float:
        """Seconds until the last stage ends."""
        return end_of(self.slots)

    def kind_of(self, label: str) -> int | None:
        """The kind of node that a stage would run on; None where none is large enough."""
        place = self.slots[label].place if label in self.slots else None
        return None if place is None else self.nodes[place]

    def prediction(self, label: str) -> Prediction:
        """The prediction of a stage where it would run."""
        kind = self.kind_of(label)
        if kind is not None:
            return self.kinds[kind].predictions[label]
        return Prediction(unknown=f"no node has {self.requests[label].text()}")

    def memory(self, label: str) -> Estimate | str:
        """The memory of a stage, compared with that of the kind of node it would run on.

        Where no node is large enough, with that of the largest.
        """
        kind = self.kind_of(label)
        if kind is not None:
            return self.kinds[kind].memory[label]
        return max(self.kinds, key=lambda one: one.kind.least.memory).memory[label]


def forecast(
    opened: OpenCluster, plan: Plan, labels: Sequence[str], text: PlannedText, jobs: int
) -> ClusterForecast:
    """Measure one node of each kind, and place the stages.

    Args:
        labels: of the stages that are still to be made.
        jobs: stages at the same time on each node, as of `run --jobs`.

    Raises:
        ClusterError: no node has CPUs, or a node does not answer.
    """
    cluster = opened.cluster
    nodes = cluster.nodes()
    stages = [stage for stage in plan.stages if stage.label in labels]
    requests = requests_for(plan, stages, nodes, jobs)
    works = work_of(plan, text, labels)
    kinds = [part for kind in kinds_of(nodes) for part in kind.divided(requests.values())]
    asked = [
        (kind.nodes[0], Asked(_stages_for(kind, works, requests), opened.files)) for kind in kinds
    ]
    answers = cluster.probe(asked)
    found = []
    for kind, answer in zip(kinds, answers, strict=True):
        memory = _memory(plan, text, kind, requests, answer.gpu)
        predictions = {}
        for label, request in requests.items():
            one, work = memory[label], works[label]
            too_large = request.gpus and isinstance(one, Estimate) and not one.fits
            if not request.fits(kind.least) or too_large:
                continue
            if isinstance(work, str):
                predictions[label] = Prediction(unknown=work)
            else:
                parts = dict(answer.parts[label])
                predictions[label] = Prediction(parts, work.output, work.working)
        found.append(KindForecast(kind, answer.gpu, predictions, memory, answer.figures))
    return _placed(plan, found, requests, grows=cluster.grows)


def _stages_for(
    kind: NodeKind, works: Mapping[str, Work | str], requests: Mapping[str, Request]
) -> dict[str, StageWork]:
    """What is to be measured on such a node."""
    return {
        label: StageWork(work, requests[label].cpus, bool(requests[label].gpus))
        for label, work in works.items()
        if not isinstance(work, str) and requests[label].fits(kind.least)
    }


def _memory(
    plan: Plan,
    text: PlannedText,
    kind: NodeKind,
    requests: Mapping[str, Request],
    gpu: Place | None,
) -> dict[str, Estimate | str]:
    """Of each stage, in RAM or on the GPU, as it would run on such a node."""
    found = estimate_or_reason(plan, Place("RAM", kind.least.memory), text)
    if gpu is not None:
        on_gpu = estimate_or_reason(plan, gpu, text)
        found |= {label: on_gpu[label] for label, asked in requests.items() if asked.gpus}
    return found


def _placed(
    plan: Plan, kinds: Sequence[KindForecast], requests: Mapping[str, Request], *, grows: bool
) -> ClusterForecast:
    """The stages in the order of the plan, each on the node where it would be done first."""
    places = [(number, node) for number, kind in enumerate(kinds) for node in kind.kind.nodes]
    nodes = [number for number, _ in places]

    def seconds(label: str, place: int) -> float | None:
        found = kinds[nodes[place]].predictions.get(label)
        return None if found is None else found.seconds

    slots = list_schedule(
        plan.graph(),
        {label: (one.cpus, one.gpus, one.memory) for label, one in requests.items()},
        [(node.cpus, node.gpus, node.memory) for _, node in places],
        seconds,
    )
    return ClusterForecast(kinds, requests, slots, nodes, grows)
