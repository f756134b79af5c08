"""What a measuring process does: one model, opened, warmed up, timed."""

from __future__ import annotations

import hashlib
import importlib
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from evalsuite import tokenization
from evalsuite.bench import energy, flops, grid
from evalsuite.inference.batch_runner import pad
from evalsuite.inference.batching import by_tokens
from evalsuite.inference.open_model import modules, open_model
from evalsuite.inference.predictor import CONCURRENT_FROM, Predictor
from evalsuite.machine import environment
from evalsuite.machine.child_process import leave_with
from evalsuite.results.speed import GridCell, LanguageSpeed, SpeedResult, Throughput
from evalsuite.task import SourceKind

LOADS = 3
WARMUP = 8
REPEATS = 5  # at most, of a cell of the grid or a language's text
LONG = 0.3  # seconds of them, after which the least will do

Batch = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Spec:
    """A measurement; see `evalsuite.bench.measure`.

    Attributes:
        shape: of the model. Not found out here: what reads it imports torch.
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
    shape: flops.Encoder


def main(connection: Any, spec: Spec) -> None:
    """Send the `SpeedResult` over the connection, or why there is none."""
    leave_with(connection)
    try:
        result: SpeedResult | str = measure(spec)
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    connection.send(result)


def measure(spec: Spec) -> SpeedResult:
    """Measure in this process."""
    for name in modules(spec.directory):  # load time is the model's, not the library's
        with suppress(ImportError):  # a guess at where the library keeps it
            importlib.import_module(name)
    baseline = int(psutil.Process().memory_info().rss)
    loads = []
    predictor = None
    for _ in range(LOADS):
        predictor = None  # free the last one first: peak memory is that of one model
        started = time.perf_counter()
        predictor = open_model(spec.directory, spec.threads)
        loads.append(time.perf_counter() - started)
    assert predictor is not None
    model = predictor
    pad_id = tokenization.pad_id(spec.directory)
    wanted = ("logits",) if model.labels else (f"hidden_states.{model.layers}",)

    def run(batch: Batch, width: int = 0) -> float:
        ids, mask = pad(batch, pad_id, width)
        started = time.perf_counter()
        model(ids, mask, wanted)
        return time.perf_counter() - started

    def width_of(batch: Batch) -> int:
        return model.batching.widths([max(map(len, batch))], model.max_length)[0]

    def run_in_turn(batches: Sequence[Batch]) -> float:
        return sum(run(batch, width_of(batch)) for batch in batches)

    def run_all(batches: Sequence[Batch]) -> float:
        padded = [pad(batch, pad_id, width_of(batch)) for batch in batches]
        started = time.perf_counter()
        for _ in model.run_batches(padded, wanted):
            pass
        return time.perf_counter() - started

    texts = [(code, ids) for code, own in spec.sequences.items() for ids in own]
    sequences = [ids for _, ids in texts]
    samples = _spread(len(texts), spec.latency_samples)
    warmup = [run([sequences[index]]) for index in samples[:WARMUP]]
    latency = [run([sequences[index]]) for index in samples]
    by_language: dict[str, list[float]] = {code: [] for code in spec.sequences}
    for index, seconds in zip(samples, latency, strict=True):
        by_language[texts[index][0]].append(seconds)
    batches = _sorted(sequences, model)
    warmup += [run_in_turn(batches[:1])]
    languages = {
        code: LanguageSpeed(
            sentences=len(own),
            tokens=sum(map(len, own)),
            latency_seconds=tuple(by_language[code]),
            seconds=_repeated(partial(run_in_turn, _sorted(own, model)), least=1),
        )
        for code, own in spec.sequences.items()
    }
    warmup += [run_all(batches[: CONCURRENT_FROM * model.threads])]
    throughput = list(_passes(run_all, batches, spec.passes))
    peak_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # not the grid's
    run([sequences[0]])  # a bundle opens anew for one batch at a time
    cells = [
        _cell(run, grid.batch(sequences, *cell), flops.operations(spec.shape, *cell))
        for cell in grid.shapes(spec.batch_sizes, spec.lengths, model.max_length)
    ]
    return SpeedResult(
        model=model.describe(spec.label),
        text=spec.text,
        source=spec.source,
        data_digest=hashlib.sha256(repr(tuple(sequences)).encode()).hexdigest(),
        token_lengths=tuple(len(ids) for ids in sequences),
        load_seconds=tuple(loads),
        warmup_seconds=tuple(warmup),
        latency_seconds=tuple(latency),
        throughput=tuple(throughput),
        operations=flops.of_sequences(spec.shape, map(len, sequences)),
        grid=tuple(cells),
        languages=languages,
        peak_memory=peak_memory,
        baseline_memory=baseline,
        environment=environment.capture(model.threads, model.device),
    )


def _sorted(sequences: Sequence[Sequence[int]], model: Predictor) -> list[Batch]:
    """Batches of similar length, as `evaluate` makes them."""
    widths = model.batching.widths([len(ids) for ids in sequences], model.max_length)
    batches = by_tokens(widths, model.batching.tokens)
    return [[sequences[index] for index in batch] for batch in batches]


def _passes(
    run: Callable[[Sequence[Batch]], float], batches: Sequence[Batch], passes: int
) -> Iterator[Throughput]:
    """Passes over all batches, with the energy each took where it can be read."""
    sequences = [ids for batch in batches for ids in batch]
    meter = energy.find()
    for _ in range(passes):
        before = meter.read() if meter else ()
        seconds = run(batches)
        yield Throughput(
            sentences=len(sequences),
            tokens=sum(map(len, sequences)),
            seconds=seconds,
            joules=meter.joules(before, meter.read()) if meter else None,
        )


def _cell(run: Callable[[Batch], float], batch: Batch, operations: int) -> GridCell:
    warmup = run(batch)
    return GridCell(
        batch=len(batch),
        length=len(batch[0]),
        operations=operations,
        warmup_seconds=warmup,
        seconds=_repeated(partial(run, batch), least=2),
    )


def _repeated(run: Callable[[], float], *, least: int) -> tuple[float, ...]:
    """Seconds of each run: `least` of them, more while they take next to none."""
    seconds: list[float] = []
    while len(seconds) < least or (len(seconds) < REPEATS and sum(seconds) < LONG):
        seconds.append(run())
    return tuple(seconds)


def _spread(count: int, wanted: int) -> list[int]:
    """Indices spread evenly over the text, so that every language and length is met."""
    if count <= wanted:
        return list(range(count))
    return [index * count // wanted for index in range(wanted)]
