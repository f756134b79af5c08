"""How fast this machine multiplies matrices in a precision: what a model's speed is held against.

>>> peak = measure("fp32", threads=2)
>>> peak.best().program, round(peak.operations_a_second() / 1e9)
('onnxruntime MatMul', 498)

Square products of several sizes, each program the toolkit has for the precision, the fastest run of
all of them: one library's product is not the machine's peak (on an AMD core torch's fp32 product
reached less than half of ONNX Runtime's). int8 is bytes times bytes into 32-bit integers, the
weights constant as in a quantized graph.

Weights stored in few bits are multiplied in another type than they are stored in; `product` says
which.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from evalsuite.machine.child_process import leave_with
from evalsuite.results.speed import Peak, PeakSample

if TYPE_CHECKING:
    import numpy as np

SIZES = (256, 512, 1024, 2048)
REPEATS = 10
SECONDS = 0.3  # a program and size, once warm

Multiply = Callable[[], object]


# Stored in one precision, multiplied in another, where that is no other name for the same.
_MULTIPLIED: dict[tuple[str, str], str] = {
    ("onnxruntime", "int8-static"): "int8",
    ("onnxruntime", "int8-weights"): "int8",  # activations rounded a block of 32 at a time
    ("onnxruntime", "int4-weights"): "int8",
    ("openvino", "int8-bf16"): "int8",
    ("openvino", "int8-weights"): "fp32",  # its kernels' names say so: brgemm_avx512_f32
    ("openvino", "int4-weights"): "fp32",
    ("torch", "nf4"): "bf16",  # decoded, then multiplied
}


def product(runtime: str, precision: str) -> str | None:
    """Which of `PROGRAMS` a model's matrix products are, or None where none is measured.

    >>> product("onnxruntime", "int4-weights")
    'int8'
    """
    found = _MULTIPLIED.get((runtime, precision), precision)
    return found if found in PROGRAMS else None


def main(connection: Any, precision: str, threads: int) -> None:
    """Send the `Peak` over the connection, or why there is none."""
    leave_with(connection)
    try:
        result: Peak | str = measure(precision, threads)
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    connection.send(result)


def measure(precision: str, threads: int, sizes: tuple[int, ...] = SIZES) -> Peak:
    """Measure in this process; `precision` is one of `PROGRAMS`."""
    import torch

    torch.set_num_threads(threads)
    samples = []
    for size in sizes:
        for program, prepare in PROGRAMS[precision].items():
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


def _torch(kind: str) -> Callable[[int, int], Multiply]:
    def prepare(size: int, threads: int) -> Multiply:
        import torch

        if kind == "int8":
            one, other = (torch.randint(-100, 100, (size, size), dtype=torch.int8) for _ in "ab")
            return lambda: torch._int_mm(one, other)
        dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[kind]
        one, other = (torch.randn(size, size, dtype=dtype) for _ in "ab")
        return lambda: torch.mm(one, other)

    return prepare


def _onnxruntime(operator: str, types: tuple[str, str, str]) -> Callable[[int, int], Multiply]:
    """A graph of one operator; element types of its input, its weights and its output."""

    def prepare(size: int, threads: int) -> Multiply:
        import numpy as np
        import onnxruntime
        from onnx import helper, numpy_helper

        given, weights, result = (np.dtype(name) for name in types)
        kinds = [helper.np_dtype_to_tensor_dtype(kind) for kind in (given, result)]
        graph = helper.make_graph(
            [helper.make_node(operator, ["a", "b"], ["y"])],
            "product",
            [helper.make_tensor_value_info("a", kinds[0], [size, size])],
            [helper.make_tensor_value_info("y", kinds[1], [size, size])],
            [numpy_helper.from_array(_numbers(size, weights), "b")],
        )
        opset = helper.make_opsetid("", 18)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=9)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        feeds = {"a": _numbers(size, given)}
        return lambda: session.run(None, feeds)

    return prepare


def _numbers(size: int, dtype: np.dtype[Any]) -> np.ndarray:
    import numpy as np

    random = np.random.default_rng(0)
    if dtype.kind == "f":
        return random.standard_normal((size, size)).astype(dtype)
    return random.integers(0, 100, (size, size)).astype(dtype)


PROGRAMS: dict[str, dict[str, Callable[[int, int], Multiply]]] = {
    "fp32": {
        "torch.mm": _torch("fp32"),
        "onnxruntime MatMul": _onnxruntime("MatMul", ("float32", "float32", "float32")),
    },
    "bf16": {"torch.mm": _torch("bf16")},
    "int8": {
        "torch._int_mm": _torch("int8"),
        "onnxruntime MatMulInteger": _onnxruntime("MatMulInteger", ("uint8", "int8", "int32")),
    },
}
