"""The arithmetic of cost: size, speed and memory of one system in one setting.

>>> costs(run_systems)[0].latency_ms
{50: 12.1, 90: 19.8, 99: 31.0}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from evalsuite.report.machines import Machine, machine
from evalsuite.report.scores import mean
from evalsuite.report.systems import System
from evalsuite.results import SpeedResult

PERCENTILES = (50, 90, 99)


@dataclass(frozen=True, slots=True)
class Setting:
    """What speeds must share to be compared: the machine, and `2 threads` of it or its GPU."""

    machine: Machine
    computes_on: str

    def __str__(self) -> str:
        return self.computes_on


@dataclass(frozen=True, slots=True)
class Cost:
    """What a system costs: sizes are means over its `models` variants, speeds over `timed`.

    `setting` is the one of the speed figures, which are None where none were measured. Sizes in
    bytes, times as named, `memory` in bytes above the baseline.
    """

    system: str
    setting: Setting | None
    models: int
    timed: int
    bytes: float
    tokenizer_bytes: float
    parameters: float
    embedding_parameters: float
    sentences_per_second: float | None
    latency_ms: dict[int, float]
    load_seconds: float | None
    memory: float | None
    texts: frozenset[str]


def percentile(samples: Sequence[float], q: float) -> float:
    """The q-th percentile, linear between samples (numpy's default); q in 0 to 100."""
    ordered = sorted(samples)
    position = (len(ordered) - 1) * q / 100
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def sentences_per_second(speed: SpeedResult) -> float | None:
    """Median over the passes."""
    rates = [p.sentences / p.seconds for p in speed.throughput if p.seconds > 0]
    return median(rates) if rates else None


def setting(speed: SpeedResult) -> Setting:
    """Where a speed was measured."""
    environment = speed.environment
    threads = f"{environment.threads} thread{'' if environment.threads == 1 else 's'}"
    computes_on = threads if environment.device == "cpu" else environment.device
    return Setting(machine(environment), computes_on)


def settings(systems: Sequence[System]) -> tuple[Setting, ...]:
    """All settings of a run, in the order in which they first come."""
    return tuple(dict.fromkeys(setting(speed) for system in systems for speed in system.speeds))


def cost(system: System, where: Setting | None) -> Cost:
    """A system's cost in one setting (None for a run without speeds)."""
    speeds = [speed for speed in system.speeds if setting(speed) == where]
    timed = [speed.latency_seconds for speed in speeds if speed.latency_seconds]
    return Cost(
        system=system.name,
        setting=where,
        models=len(system.models),
        timed=len({speed.model.label for speed in speeds}),
        bytes=fmean(m.bytes for m in system.models),
        tokenizer_bytes=fmean(m.tokenizer_bytes for m in system.models),
        parameters=fmean(m.parameters for m in system.models),
        embedding_parameters=fmean(m.embedding_parameters for m in system.models),
        sentences_per_second=mean(sentences_per_second(speed) for speed in speeds),
        latency_ms={q: 1000 * fmean(percentile(t, q) for t in timed) for q in PERCENTILES if timed},
        load_seconds=mean(median(s.load_seconds) for s in speeds if s.load_seconds),
        memory=mean(float(s.peak_memory - s.baseline_memory) for s in speeds),
        texts=frozenset(f"{speed.text} ({speed.source})" for speed in speeds),
    )


def costs(systems: Sequence[System]) -> tuple[Cost, ...]:
    """One a (system, setting it was measured in); a system without speeds has one too."""
    found = []
    for system in systems:
        own = dict.fromkeys(setting(speed) for speed in system.speeds)
        found += [cost(system, where) for where in own] or [cost(system, None)]
    return tuple(found)
