"""What a measuring process does: one model, opened, warmed up, timed."""

from __future__ import annotations

import hashlib
import importlib
import resource
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from evalsuite import environment, tokenization
from evalsuite.batching import by_tokens
from evalsuite.processes import leave_with
from evalsuite.results import SpeedResult, Throughput
from evalsuite.run import batch_tokens, pad
from evalsuite.runtimes import modules, open_model
from evalsuite.task import SourceKind

LOADS = 3
WARMUP = 8


@dataclass(frozen=True, slots=True)
class Spec:
    """A measurement; see `evalsuite.bench.measure`."""

    directory: Path
    sequences: tuple[tuple[int, ...], ...]
    label: str
    text: str
    source: SourceKind
    threads: int
    passes: int
    latency_samples: int


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

    def run(batch: Sequence[Sequence[int]]) -> float:
        ids, mask = pad(batch, pad_id)
        started = time.perf_counter()
        model(ids, mask, wanted)
        return time.perf_counter() - started

    sequences = spec.sequences
    samples = _spread(len(sequences), spec.latency_samples)
    warmup = [run([sequences[index]]) for index in samples[:WARMUP]]
    latency = [run([sequences[index]]) for index in samples]
    batches = by_tokens([len(ids) for ids in sequences], batch_tokens(model))
    warmup += [run([sequences[index] for index in batches[0]])]
    tokens = sum(map(len, sequences))
    throughput = []
    for _ in range(spec.passes):
        seconds = sum(run([sequences[index] for index in batch]) for batch in batches)
        throughput.append(Throughput(sentences=len(sequences), tokens=tokens, seconds=seconds))
    return SpeedResult(
        model=model.describe(spec.label),
        text=spec.text,
        source=spec.source,
        data_digest=hashlib.sha256(repr(sequences).encode()).hexdigest(),
        token_lengths=tuple(len(ids) for ids in sequences),
        load_seconds=tuple(loads),
        warmup_seconds=tuple(warmup),
        latency_seconds=tuple(latency),
        throughput=tuple(throughput),
        peak_memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        baseline_memory=baseline,
        environment=environment.capture(model.threads, model.device),
    )


def _spread(count: int, wanted: int) -> list[int]:
    """Indices spread evenly over the text, so that every language and length is met."""
    if count <= wanted:
        return list(range(count))
    return [index * count // wanted for index in range(wanted)]
