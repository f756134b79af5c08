"""How fast this machine multiplies matrices in a type: what a model's speed is compared with.

>>> peak = measure("fp32", threads=2)
>>> peak.best().program, round(peak.operations_a_second() / 1e9)
('onnxruntime MatMul', 498)

Square products of several sizes, by each program that a runtime offers for the type; the peak is
the fastest run of all. One library's product is not the machine's peak: on an AMD core torch's fp32
product reached less than half of ONNX Runtime's. int8 is bytes times bytes into 32-bit integers,
with constant weights as in a quantized graph.

Weights stored in few bits are multiplied in another type than they are stored in; `product` gives
it. Both the programs and these types are in the file of each runtime (`PRODUCTS`, `MULTIPLY`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from evalsuite.machine.child_process import leave_with
from evalsuite.registry import RUNTIMES
from evalsuite.results.speed import Peak, PeakSample
from evalsuite.runtimes._products import Prepare

SIZES = (256, 512, 1024, 2048)
REPEATS = 10
SECONDS = 0.3  # per program and size, after one run that is not timed


def programs() -> dict[str, dict[str, Prepare]]:
    """Type of the product -> title -> program, of all runtimes.

    >>> {kind: list(titles) for kind, titles in programs().items()}["bf16"]
    ['torch.mm']
    """
    every: dict[str, dict[str, Prepare]] = {}
    for name in RUNTIMES.names():
        for kind, by_title in RUNTIMES.get(name).MULTIPLY.items():
            every.setdefault(kind, {}).update(by_title)
    return every


def product(runtime: str, precision: str) -> str | None:
    """The type of a model's matrix products, or None where no program measures it.

    >>> product("onnxruntime", "int4-weights")
    'int8'
    """
    kind: str | None = RUNTIMES.get(runtime).PRODUCTS.get(precision)
    return kind if kind in programs() else None


def main(connection: Any, precision: str, threads: int, sizes: Sequence[int]) -> None:
    """Send the `Peak` over the connection, or the reason why there is none."""
    leave_with(connection)
    try:
        result: Peak | str = measure(precision, threads, sizes)
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    connection.send(result)


def measure(precision: str, threads: int, sizes: Sequence[int] = SIZES) -> Peak:
    """Measure in this process.

    Args:
        precision: one of the types in `programs`.
        sizes: rows of the square matrices.
    """
    samples = []
    for size in sizes:
        for program, prepare in programs()[precision].items():
            multiply = prepare(size, threads)
            multiply()
            started = time.perf_counter()
            for _ in range(REPEATS):
                begun = time.perf_counter()
                multiply()
                ended = time.perf_counter()
                samples.append(PeakSample(program=program, size=size, seconds=ended - begun))
                if ended - started > SECONDS:
                    break
    return Peak(precision=precision, threads=threads, samples=tuple(samples))
