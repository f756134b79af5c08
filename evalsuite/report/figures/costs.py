"""The arithmetic of cost: size, speed and memory of one system in one setting.

>>> costs(run_systems)[0].latency_ms
{50: 12.1, 90: 19.8, 99: 31.0}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median

from evalsuite.report.figures.formatting import times
from evalsuite.report.figures.machines import Machine, machine, machines, names
from evalsuite.report.figures.scores import mean
from evalsuite.report.figures.systems import System
from evalsuite.results.speed import Peak, SpeedResult

PERCENTILES = (50, 90, 99)


@dataclass(frozen=True, slots=True)
class Setting:
    """What speeds must share to be compared: the machine, and `2 threads` of it or its GPU.

    Where models were timed on several texts, the text too; else that is empty.
    """

    machine: Machine
    computes_on: str
    text: str = ""

    def __str__(self) -> str:
        return f"{self.computes_on} ({self.text})" if self.text else self.computes_on

    def holds(self, speed: SpeedResult) -> bool:
        """Whether a speed was measured in it."""
        return setting(speed) == replace(self, text="") and self.text in ("", speed.text)


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a system: sizes are means over its `models` variants, speeds over those `timed`.

    `setting` is the one of the speed figures, which are None where none were measured. Sizes in
    bytes, times as named, `memory` in bytes above the baseline, without
    the tokenizer, whose memory is in bytes too; `limit` says in words whether all models fit in the
    limit of memory, where there was one; shares of the machine's peak in
    percent (of the largest grid cell, and of the real text), `joules` per sentence.
    """

    system: str
    setting: Setting | None
    models: int
    timed: frozenset[str]
    bytes: float
    tokenizer_bytes: float
    parameters: float
    embedding_parameters: float
    sentences_per_second: float | None
    latency_ms: dict[int, float]
    load_seconds: float | None
    memory: float | None
    limit: str
    tokenizer_load_seconds: float | None
    tokenizer_memory: float | None
    peak_share: float | None
    text_peak_share: float | None
    joules: float | None
    texts: frozenset[str]


def percentile(samples: Sequence[float], q: float) -> float:
    """The q-th percentile, linear between samples (numpy's default); q in 0 to 100."""
    ordered = sorted(samples)
    position = (len(ordered) - 1) * q / 100
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def sentences_per_second(speed: SpeedResult) -> float | None:
    """Median over the passes. A sentence is a row of the text, in however many sequences."""
    passes = [p for p in speed.throughput if p.seconds > 0]
    rates = [(speed.rows or p.sentences) / p.seconds for p in passes]
    return median(rates) if rates else None


def peak_share(speed: SpeedResult) -> float | None:
    """Percent of the machine's matrix product that the largest cell of the grid reaches."""
    if speed.peak is None or not speed.grid:
        return None
    cell = max(speed.grid, key=lambda cell: cell.batch * cell.length)
    return _share(cell.operations, cell.seconds, speed.peak)


def text_peak_share(speed: SpeedResult) -> float | None:
    """The same of the passes over real text: padding is no work done."""
    if speed.peak is None:
        return None
    return _share(speed.operations, [p.seconds for p in speed.throughput], speed.peak)


def _share(operations: int, seconds: Sequence[float], peak: Peak) -> float:
    return 100 * operations / median(seconds) / peak.operations_a_second()


def limit(speeds: Sequence[SpeedResult]) -> str:
    """`fits in 64 MB` or `does not fit in 64 MB`; empty where no limit was set.

    Of several models one that does not fit is enough; of several limits the smallest is named.
    """
    limited = [speed for speed in speeds if speed.memory_limit is not None]
    if not limited:
        return ""
    smallest = min(limited, key=lambda speed: (not speed.does_not_fit(), speed.memory_limit or 0))
    return smallest.does_not_fit() or f"fits in {(smallest.memory_limit or 0) / 1e6:g} MB"


def joules_a_sentence(speed: SpeedResult) -> float | None:
    """Median over the passes that have it."""
    passes = [p for p in speed.throughput if p.joules is not None]
    energies = [(p.joules or 0.0) / (speed.rows or p.sentences) for p in passes]
    return median(energies) if energies else None


def in_pieces(speeds: Sequence[SpeedResult]) -> bool:
    """Whether a row of some text is several sequences: windows of a long text, or choices."""
    return any(speed.rows and speed.rows < speed.throughput[0].sentences for speed in speeds)


def sentences_in(speed: SpeedResult, code: str) -> int | None:
    """Sentences of a language; None where sequences were counted, and sentences are several."""
    measured = speed.languages[code]
    if measured.rows is None and in_pieces([speed]):
        return None
    return measured.rows or measured.sentences


def setting(speed: SpeedResult) -> Setting:
    """Where a speed was measured, on any text."""
    environment = speed.environment
    on_cpu = environment.device == "cpu"
    computes_on = threads(environment.threads) if on_cpu else environment.device
    return Setting(machine(environment), computes_on)


def threads(count: int) -> str:
    """`1 thread`, `2 threads`."""
    return f"{count} thread{'' if count == 1 else 's'}"


def settings(systems: Sequence[System]) -> tuple[Setting, ...]:
    """All settings of a run, in the order in which they first come."""
    return _settings(systems, any(map(_several_texts, systems)))


def _settings(systems: Sequence[System], by_text: bool) -> tuple[Setting, ...]:
    speeds = [speed for system in systems for speed in system.speeds]
    texts = [speed.text if by_text else "" for speed in speeds]
    found = (replace(setting(s), text=text) for s, text in zip(speeds, texts, strict=True))
    return tuple(dict.fromkeys(found))


def _several_texts(system: System) -> bool:
    """Whether a model of it was timed on several texts in one setting."""
    timed_in = {(speed.model.label, setting(speed)) for speed in system.speeds}
    on_texts = {(s.model.label, setting(s), s.text) for s in system.speeds}
    return len(on_texts) > len(timed_in)


def _other_texts(systems: Sequence[System]) -> bool:
    """Whether two systems were timed in one setting on other texts than each other."""
    timed: dict[Setting, dict[str, set[str]]] = {}
    for system in systems:
        for speed in system.speeds:
            by_system = timed.setdefault(setting(speed), {})
            by_system.setdefault(system.name, set()).add(speed.text)
    return any(len(set(map(frozenset, found.values()))) > 1 for found in timed.values())


def first_setting(systems: Sequence[System]) -> Setting | None:
    """The first of a run; of its texts, the one that most systems were timed on.

    It has a text where not all were timed on the same.
    """
    every = _settings(systems, any(map(_several_texts, systems)) or _other_texts(systems))
    alike = [where for where in every if replace(where, text="") == replace(every[0], text="")]
    return max(alike, key=lambda where: sum(_is_timed(s, where) for s in systems), default=None)


def _is_timed(system: System, where: Setting) -> bool:
    return any(map(where.holds, system.speeds))


def cost(system: System, where: Setting | None) -> Cost:
    """A system's cost in one setting (None for a run without speeds)."""
    speeds = [speed for speed in system.speeds if where is not None and where.holds(speed)]
    timed = [speed.latency_seconds for speed in speeds if speed.latency_seconds]
    tokenizers = [speed.tokenizer for speed in speeds if speed.tokenizer is not None]
    return Cost(
        system=system.name,
        setting=where,
        models=len(system.models),
        timed=frozenset(speed.model.label for speed in speeds),
        bytes=fmean(m.bytes for m in system.models),
        tokenizer_bytes=fmean(m.tokenizer_bytes for m in system.models),
        parameters=fmean(m.parameters for m in system.models),
        embedding_parameters=fmean(m.embedding_parameters for m in system.models),
        sentences_per_second=mean(sentences_per_second(speed) for speed in speeds),
        latency_ms={q: 1000 * fmean(percentile(t, q) for t in timed) for q in PERCENTILES if timed},
        load_seconds=mean(median(s.load_seconds) for s in speeds if s.load_seconds),
        memory=mean(float(s.memory()) for s in speeds),
        limit=limit(speeds),
        tokenizer_load_seconds=mean(median(t.load_seconds) for t in tokenizers),
        tokenizer_memory=mean(float(t.memory) for t in tokenizers),
        peak_share=mean(map(peak_share, speeds)),
        text_peak_share=mean(map(text_peak_share, speeds)),
        joules=mean(map(joules_a_sentence, speeds)),
        texts=frozenset(f"{speed.text} ({speed.source})" for speed in speeds),
    )


def costs(systems: Sequence[System]) -> tuple[Cost, ...]:
    """One cost per system and setting; a system without speeds has one cost without a setting."""
    all_costs, every = [], settings(systems)
    for system in systems:
        measured_in = [where for where in every if _is_timed(system, where)]
        all_costs += [cost(system, where) for where in measured_in] or [cost(system, None)]
    return tuple(all_costs)


def timed(systems: Sequence[System]) -> list[tuple[str, list[SpeedResult]]]:
    """A name and its speeds, per system and setting.

    The name includes threads, text and machine where they differ.

    >>> timed([])
    []
    """
    every = settings(systems)
    computed_on, on = {str(where) for where in every}, names(machines(systems))
    groups = []
    for system in systems:
        for where in [where for where in every if _is_timed(system, where)]:
            parts = [system.name]
            parts += [str(where)] if len(computed_on) > 1 else []
            parts += [on[where.machine]] if len(on) > 1 else []
            groups.append((", ".join(parts), [s for s in system.speeds if where.holds(s)]))
    return groups


def compared(reference: float, value: float, less: str, more: str) -> str:
    """`7.3× smaller`; empty where the two are alike to two figures."""
    if min(reference, value) <= 0:
        return ""
    ratio = max(reference, value) / min(reference, value)
    return "" if ratio < 1.05 else f"{times(ratio)} {less if value < reference else more}"
