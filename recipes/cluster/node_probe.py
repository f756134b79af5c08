"""What a node does for `plan`: it measures how fast it is, for the stages that could run there.

>>> answer = measure(Asked({"teacher": StageWork(work, threads=8, gpu=False)}, files))
>>> answer.parts["teacher"], answer.gpu
({'compute': 61.2, 'optimizer': 9.0, ...}, None)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evalsuite.machine.memory import Place, has_gpu, machine_memory
from evalsuite.machine.probe import Probe
from evalsuite.machine.work import Work
from recipes.cluster import node_check


@dataclass(frozen=True, slots=True)
class StageWork:
    """What a stage computes, and with what: a number of threads, or a GPU too."""

    work: Work
    threads: int
    gpu: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """The stages that a node could make, by label, and the files of the run."""

    stages: Mapping[str, StageWork]
    files: node_check.Files


@dataclass(frozen=True, slots=True)
class Answer:
    """How fast the node is.

    Attributes:
        parts: seconds of each stage, by what they are for.
        gpu: the first GPU that the node's torch sees, with its memory; None where it sees none.
        figures: all that was measured; see `evalsuite.machine.probe.Probe.figures`.
    """

    parts: Mapping[str, Mapping[str, float]]
    gpu: Place | None
    figures: tuple[Mapping[str, Any], ...]


def measure(asked: Asked) -> Answer:
    """Measure what the stages do; each figure once per number of threads and device."""
    root, _ = node_check.node_workspace(asked.files)
    place = root if root.is_dir() else None
    probes: dict[tuple[int, bool], Probe] = {}
    parts: dict[str, Mapping[str, float]] = {}
    for label, stage in asked.stages.items():
        gpu = stage.gpu and has_gpu()
        probe = probes.setdefault(
            (stage.threads, gpu),
            Probe(place, threads=stage.threads, device="cuda" if gpu else "cpu"),
        )
        parts[label] = stage.work.seconds(probe)
    figures = tuple(
        {"threads": threads, "device": "cuda" if gpu else "cpu", **figure}
        for (threads, gpu), probe in probes.items()
        for figure in probe.figures()
    )
    seen = any(stage.gpu for stage in asked.stages.values()) and has_gpu()
    return Answer(parts, machine_memory() if seen else None, figures)
