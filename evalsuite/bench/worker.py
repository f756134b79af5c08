"""What a measuring process does: one model, opened, warmed up, timed."""

from __future__ import annotations

import hashlib
import importlib
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from evalsuite import tokenization
from evalsuite.bench import energy, flops, grid
from evalsuite.bench.timer import Batch, Timer, repeated
from evalsuite.cascade.packed_rows import first_length
from evalsuite.inference.open_model import modules, open_model
from evalsuite.inference.predictor import CONCURRENT_FROM, Predictor, Staged
from evalsuite.machine import environment, waiting
from evalsuite.machine.child_process import leave_with
from evalsuite.results.speed import GridCell, LanguageSpeed, SpeedResult, Throughput
from evalsuite.task import SourceKind

LOADS = 3
WARMUP = 8


@dataclass(frozen=True, slots=True)
class Spec:
    """A measurement; see `evalsuite.bench.measure`.

    Attributes:
        shapes: of the model, or of each member of a cascade. Not found out here: what reads them
            imports torch.
    """

    directory: Path
    sequences: dict[str, tuple[tuple[int, ...], ...]]  # by language
    label: str
    text: str
    source: SourceKind
    threads: int
    passes: int
    latency_samples: int
    batch_sizes: tuple[int, ...]
    lengths: tuple[int, ...]
    shapes: tuple[flops.Encoder, ...]


def main(connection: Any, spec: Spec) -> None:
    """Send the `SpeedResult` over the connection, or why there is none."""
    leave_with(connection)
    try:
        with waiting.as_if_alone():
            result: SpeedResult | str = measure(spec)
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    connection.send(result)


def measure(spec: Spec) -> SpeedResult:
    """Measure in this process: latency, each language, throughput, and then the grid."""
    baseline, model, loads = _opened(spec)
    timer = Timer(model, tokenization.pad_id(spec.directory))
    texts = [(code, ids) for code, own in spec.sequences.items() for ids in own]
    sequences = [ids for _, ids in texts]
    samples = _spread(len(texts), spec.latency_samples)
    warmup = [_one(timer, *texts[index]) for index in samples[:WARMUP]]
    latency = [_one(timer, *texts[index]) for index in samples]
    by_language: dict[str, list[float]] = {code: [] for code in spec.sequences}
    for index, seconds in zip(samples, latency, strict=True):
        by_language[texts[index][0]].append(seconds)
    batches = timer.batches(sequences)
    warmup += [timer.in_turn(batches[:1])]
    languages = {
        code: _language(timer, code, own, by_language[code]) for code, own in spec.sequences.items()
    }
    warmup += [timer.all(batches[: CONCURRENT_FROM * model.threads])]
    if isinstance(model, Staged):
        model.rows_read()  # those of the warm-up
    throughput = tuple(_passes(timer, _groups(timer, spec), spec.passes))
    operations = _operations(spec, model, sequences)
    peak_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # not the grid's
    timer.one([sequences[0]])  # a bundle opens anew for one batch at a time
    threads = spec.threads if model.device == "cpu" else model.threads  # it may need fewer
    return SpeedResult(
        model=model.describe(spec.label),
        text=spec.text,
        source=spec.source,
        data_digest=hashlib.sha256(repr(tuple(sequences)).encode()).hexdigest(),
        token_lengths=tuple(map(first_length, sequences)),
        load_seconds=loads,
        warmup_seconds=tuple(warmup),
        latency_seconds=tuple(latency),
        throughput=throughput,
        operations=operations,
        grid=_grid(spec, timer, sequences),
        languages=languages,
        peak_memory=peak_memory,
        baseline_memory=baseline,
        environment=environment.capture(threads, model.device),
    )


def _opened(spec: Spec) -> tuple[int, Predictor, tuple[float, ...]]:
    """Memory before the model is opened, the model, and the seconds of each opening."""
    for name in modules(spec.directory):  # load time is the model's, not the library's
        with suppress(ImportError):  # a guess at where the library keeps it
            importlib.import_module(name)
    baseline = int(psutil.Process().memory_info().rss)
    loads = []
    model = None
    for _ in range(LOADS):
        model = None  # free the last one first: peak memory is that of one model
        started = time.perf_counter()
        model = open_model(spec.directory, spec.threads)
        loads.append(time.perf_counter() - started)
    assert model is not None
    return baseline, model, tuple(loads)


def _one(timer: Timer, language: str, ids: Sequence[int]) -> float:
    """A row alone; a cascade is given its language, as `evaluate` gives it."""
    if isinstance(timer.model, Staged):
        timer.model.language = language
    return timer.one([ids])


def _groups(timer: Timer, spec: Spec) -> list[tuple[str | None, list[Batch]]]:
    """What runs together: all text, or of a cascade the text of each language, as in `evaluate`."""
    if isinstance(timer.model, Staged):
        return [(code, timer.batches(own)) for code, own in spec.sequences.items()]
    return [(None, timer.batches([ids for own in spec.sequences.values() for ids in own]))]


def _language(timer: Timer, code: str, own: Batch, latency: Sequence[float]) -> LanguageSpeed:
    """The text of one language; `latency` are its sentences timed one by one."""
    if isinstance(timer.model, Staged):
        timer.model.language = code
    return LanguageSpeed(
        sentences=len(own),
        tokens=sum(map(first_length, own)),
        latency_seconds=tuple(latency),
        seconds=repeated(partial(timer.in_turn, timer.batches(own)), least=1),
    )


def _passes(
    timer: Timer, groups: Sequence[tuple[str | None, Sequence[Batch]]], passes: int
) -> Iterator[Throughput]:
    """Passes over all batches, with the energy each took where it can be read."""
    sequences = [ids for _, batches in groups for batch in batches for ids in batch]
    meter = energy.find()
    for _ in range(passes):
        before = meter.read() if meter else ()
        seconds = 0.0
        for language, batches in groups:
            if isinstance(timer.model, Staged):
                timer.model.language = language
            seconds += timer.all(batches)
        yield Throughput(
            sentences=len(sequences),
            tokens=sum(map(first_length, sequences)),
            seconds=seconds,
            joules=meter.joules(before, meter.read()) if meter else None,
        )


def _operations(spec: Spec, model: Predictor, sequences: Sequence[Sequence[int]]) -> int:
    """Of a pass over the text: of a cascade, those of each member over the rows that reached it."""
    if not isinstance(model, Staged):
        return flops.of_sequences(spec.shapes[0], map(len, sequences))
    total = sum(
        rows * flops.operations(shape, 1, length)
        for shape, counts in zip(spec.shapes, model.rows_read(), strict=True)
        for length, rows in counts.items()
    )
    return total // spec.passes


def _grid(spec: Spec, timer: Timer, sequences: Sequence[Sequence[int]]) -> tuple[GridCell, ...]:
    """Batches of fixed shapes; none of a cascade, whose time depends on what a text says."""
    if isinstance(timer.model, Staged):
        return ()
    shape = spec.shapes[0]
    return tuple(
        _cell(timer, grid.batch(sequences, *cell), flops.operations(shape, *cell))
        for cell in grid.shapes(spec.batch_sizes, spec.lengths, timer.model.max_length)
    )


def _cell(timer: Timer, batch: Batch, operations: int) -> GridCell:
    warmup = timer.one(batch)
    return GridCell(
        batch=len(batch),
        length=len(batch[0]),
        operations=operations,
        warmup_seconds=warmup,
        seconds=repeated(partial(timer.one, batch), least=2),
    )


def _spread(count: int, wanted: int) -> list[int]:
    """Indices spread evenly over the text, so that every language and length is met."""
    if count <= wanted:
        return list(range(count))
    return [index * count // wanted for index in range(wanted)]
