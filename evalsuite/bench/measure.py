"""Measure what models cost to run, each in a separate process.

>>> (speed,) = measure([Subject(Path("student-int8"), {"sw": sequences}, "int8", "xnli dev")],
...                    source="xtreme", threads=2)
>>> speed.latency_seconds[0], speed.languages["sw"].tokens
(0.0031, 1411)

A measuring process opens its model, warms up, then times batch 1 sentence by sentence, several
passes over the whole text in length-sorted batches, one pass a language, and batches of fixed
shapes, with a fixed thread count; everybody else waits without polling. Raw samples are kept,
warm-up apart. The machine's matrix product is measured the same way, once a precision. Where the
system can fork, the runtimes are imported once for all of them.

A limit of memory is a limit of the measured peak, not one that the system enforces. RLIMIT_AS and
RLIMIT_DATA count addresses that are reserved and never touched (a program for ExecuTorch plans
memory for its largest batch, a thread reserves its stack), so models that fit would be refused, and
RLIMIT_DATA does not count weights that are mapped from a file. And libraries in C++ end the process
where memory runs out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalsuite.bench import flops, grid, peak, tokenizer_cost, worker
from evalsuite.bench.worker import Spec
from evalsuite.errors import EvalsuiteError, KilledError
from evalsuite.inference.open_model import modules
from evalsuite.machine import waiting
from evalsuite.machine.child_process import start, start_context
from evalsuite.results.speed import Peak, SpeedResult
from evalsuite.task import SourceKind


class MeasurementError(EvalsuiteError):
    """The measuring process ended without a result."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A model and the text it is measured on.

    Attributes:
        sequences: by language, token ids, specials included, of real sentences (their real
            lengths).
        text: what they are, for the report; alike for every tokenizer where `rows` is given.
        rows: by language, how many rows the sequences are of.
        memory_limit: bytes above its imports that the model has to fit in
            (`SpeedResult.does_not_fit`); it does not stop the process.
    """

    directory: Path
    sequences: Mapping[str, Sequence[Sequence[int]]]
    label: str
    text: str
    memory_limit: int | None = None
    rows: Mapping[str, int] | None = None


def measure(
    subjects: Sequence[Subject],
    *,
    source: SourceKind,
    threads: int,
    passes: int = 3,
    latency_samples: int = 200,
    batch_sizes: Sequence[int] = grid.BATCH_SIZES,
    lengths: Sequence[int] = grid.LENGTHS,
    peak_sizes: Sequence[int] = peak.SIZES,
) -> list[SpeedResult]:
    """Measure models one after the other.

    Args:
        threads: intra-op threads of the runtime.
        passes: throughput passes over all sequences.
        latency_samples: sentences timed one by one.
        batch_sizes, lengths: of the grid of fixed shapes; lengths a model does not take are left
            out.
        peak_sizes: rows of the matrices whose products give the machine's peak.

    Raises:
        MeasurementError: a measurement failed; says why.
        KilledError: a measuring process was killed.
    """
    imports = dict.fromkeys(name for s in subjects for name in modules(s.directory))
    context = start_context(["evalsuite.bench.worker", "evalsuite.bench.tokenizer_cost", *imports])
    results = []
    peaks: dict[str, Peak] = {}
    for subject in subjects:
        spec = Spec(
            directory=subject.directory,
            sequences={
                code: tuple(tuple(ids) for ids in own) for code, own in subject.sequences.items()
            },
            label=subject.label,
            text=subject.text,
            source=source,
            threads=threads,
            passes=passes,
            latency_samples=latency_samples,
            batch_sizes=tuple(batch_sizes),
            lengths=tuple(lengths),
            shapes=flops.of_members(subject.directory),
        )
        result: SpeedResult = _in_a_process(context, worker.main, (spec,), subject.label)
        tokenizer = _in_a_process(
            context,
            tokenizer_cost.main,
            (subject.directory,),
            f"the tokenizer of {subject.label}",
        )
        asked = {"tokenizer": tokenizer, "memory_limit": subject.memory_limit}
        result = _with_rows(result.model_copy(update=asked), subject.rows)
        product = peak.product(result.model.runtime, result.model.precision)
        if result.environment.device == "cpu" and product is not None:
            if product not in peaks:
                what = f"the {product} matrix product"
                peaks[product] = _in_a_process(
                    context, peak.main, (product, threads, tuple(peak_sizes)), what
                )
            result = result.model_copy(update={"peak": peaks[product]})
        results.append(result)
    return results


def _with_rows(result: SpeedResult, rows: Mapping[str, int] | None) -> SpeedResult:
    """With the number of rows of the text, of which the process saw the sequences alone."""
    if rows is None:
        return result
    by_language = {
        code: own.model_copy(update={"rows": rows[code]}) for code, own in result.languages.items()
    }
    return result.model_copy(update={"rows": sum(rows.values()), "languages": by_language})


def _in_a_process(
    context: Any, main: Callable[..., None], arguments: tuple[Any, ...], what: str
) -> Any:
    """What `main(connection, *arguments)` sends from a new process; waits without polling."""
    ours, theirs = context.Pipe()
    with waiting.as_if_alone():
        child = start(context, main, theirs, *arguments)
    theirs.close()
    try:
        result = ours.recv()
    except (EOFError, OSError):
        raise KilledError(f"the process that measured {what}") from None
    child.join()
    if isinstance(result, str):
        raise MeasurementError(f"measuring {what} gave no result: {result}")
    return result
