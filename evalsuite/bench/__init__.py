"""Measure what models cost to run, each in a process of its own.

>>> (speed,) = measure([Subject(Path("student-int8"), sequences, "int8", "xnli dev")],
...                    source="xtreme", threads=2)
>>> speed.latency_seconds[0]
0.0031

A measuring process opens its model, warms up, then times batch 1 sentence by sentence and several
passes over the whole text in length-sorted batches, with a fixed thread count; everybody else
waits without polling. Raw samples are kept, warm-up apart. Where the system can fork, the runtimes
are imported once for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.bench import worker
from evalsuite.bench.worker import Spec
from evalsuite.errors import EvalsuiteError
from evalsuite.processes import start_context
from evalsuite.results import SpeedResult
from evalsuite.runtimes import modules
from evalsuite.task import SourceKind


class MeasurementError(EvalsuiteError):
    """The measuring process ended without a result."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A model and the text it is measured on.

    Attributes:
        sequences: token ids, specials included, of real sentences (their real lengths).
        text: what they are, for the report.
    """

    directory: Path
    sequences: Sequence[Sequence[int]]
    label: str
    text: str


def measure(
    subjects: Sequence[Subject],
    *,
    source: SourceKind,
    threads: int,
    passes: int = 3,
    latency_samples: int = 200,
) -> list[SpeedResult]:
    """Measure models one after the other.

    Args:
        threads: intra-op threads of the runtime.
        passes: throughput passes over all sequences.
        latency_samples: sentences timed one by one.

    Raises:
        MeasurementError: a measurement failed; says why.
    """
    imports = dict.fromkeys(name for s in subjects for name in modules(s.directory))
    context = start_context(["evalsuite.bench.worker", *imports])
    results = []
    for subject in subjects:
        spec = Spec(
            directory=subject.directory,
            sequences=tuple(tuple(ids) for ids in subject.sequences),
            label=subject.label,
            text=subject.text,
            source=source,
            threads=threads,
            passes=passes,
            latency_samples=latency_samples,
        )
        results.append(_in_a_process(context, spec))
    return results


def _in_a_process(context: Any, spec: Spec) -> SpeedResult:
    """Measure in a new process and wait for it without polling."""
    ours, theirs = context.Pipe()
    child = context.Process(target=worker.main, args=(theirs, spec))
    child.start()
    theirs.close()
    try:
        result: SpeedResult | str = ours.recv()
    except EOFError:
        result = "its process was killed, most often by the system for want of memory"
    child.join()
    if isinstance(result, str):
        raise MeasurementError(f"measuring {spec.label} gave no result: {result}")
    return result
