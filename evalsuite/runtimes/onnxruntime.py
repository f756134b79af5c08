"""ONNX Runtime: bundles, run with onnxruntime, numpy and tokenizers alone (no torch).

On x86 processors without VNNI the fastest products of int8 hold sums of two in 16 bits, and these
overflow (onnxruntime #6004). There sessions are opened in ONNX Runtime's precision mode, so that a
bundle gives the same outputs on any processor. With VNNI that mode is not used: it gives the same
outputs and takes 1.6 times as long (docs/LOG.md).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.errors import ModelError
from evalsuite.machine import environment, waiting
from evalsuite.runtimes._bundle import BundlePredictor, Feeds, check_files, read_card
from evalsuite.runtimes._products import Multiply, Prepare

if TYPE_CHECKING:
    import numpy as np


def opens(directory: Path) -> bool:
    """Whether the directory is a bundle for this runtime."""
    return read_card(directory, "onnxruntime") is not None


def modules(directory: Path) -> tuple[str, ...]:
    """What opening a bundle imports."""
    return ("onnxruntime",)


# A bundle's precision -> type of its matrix products, for the machine's peak.
PRODUCTS = {
    "fp32": "fp32", "int8": "int8", "int8-static": "int8",
    "int8-weights": "int8", "int4-weights": "int8",  # activations are rounded 32 at a time
}  # fmt: skip
_PRECISE = "session.x64quantprecision"
_SPINNING = "session.intra_op.allow_spinning"


class OnnxPredictor(BundlePredictor):
    """An ONNX Runtime session as a `Predictor`."""

    def __init__(self, directory: Path, card: dict[str, Any], threads: int) -> None:
        self.session = _session(directory / card["file"], threads)
        outputs = {output.name for output in self.session.get_outputs()}
        super().__init__(directory, card, outputs, str(card["precision"]), threads)
        self._pool = ThreadPoolExecutor(threads)  # its threads begin with their first run

    def compute(self, names: tuple[str, ...], feeds: Feeds) -> list[np.ndarray]:
        """These outputs of the graph; the rest of the graph is not computed."""
        values: list[np.ndarray] = self.session.run(list(names), feeds)
        return values

    def start(self, names: tuple[str, ...], feeds: Feeds) -> Callable[[], list[np.ndarray]]:
        """Start the same in a thread of the pool."""
        return self._pool.submit(self.session.run, list(names), feeds).result

    def reopen(self, concurrent: bool) -> None:
        """Replace the session."""
        del self.session  # free it first
        threads = 1 if concurrent else self.threads
        self.session = _session(self.directory / self.card["file"], threads, arena=not concurrent)


def _session(path: Path, threads: int, *, arena: bool = True) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry(_PRECISE, "0" if environment.vnni() else "1")
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry(_SPINNING, "0" if waiting.sleeps() else "1")
    options.enable_cpu_mem_arena = arena  # concurrent runs would wait for it
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"{path.parent} does not open in ONNX Runtime: {error}") from error


def open_model(directory: Path, threads: int | None = None) -> OnnxPredictor:
    """Open a bundle on the CPU provider.

    Raises:
        ModelError: it is not a bundle for ONNX Runtime, or the graph does not load.
    """
    card = read_card(directory, "onnxruntime")
    if card is None:
        raise ModelError(f"{directory} is not a bundle for ONNX Runtime")
    check_files(directory, card)
    return OnnxPredictor(directory, card, threads or environment.threads())


def _matrix_product(operator: str, types: tuple[str, str, str]) -> Prepare:
    """A graph of one operator, given the element types of its input, weights and output."""

    def prepare(size: int, threads: int) -> Callable[[], object]:
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


MULTIPLY: Multiply = {
    "fp32": {"onnxruntime MatMul": _matrix_product("MatMul", ("float32", "float32", "float32"))},
    "int8": {
        "onnxruntime MatMulInteger": _matrix_product("MatMulInteger", ("uint8", "int8", "int32"))
    },
}
