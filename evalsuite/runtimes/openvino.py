"""OpenVINO: bundles, run with openvino, numpy and tokenizers alone (no torch).

>>> open_model(Path("student-bf16"), threads=2).precision
'bf16'

On processors with bf16 arithmetic OpenVINO computes in bf16 by default, whatever the weights are.
So a bundle's precision is always set (`INFERENCE_PRECISION_HINT`), and a predictor's `precision` is
read from the compiled model: on a processor without bf16, a bf16 bundle computes in fp32 and
reports fp32, and an int8-bf16 bundle reports int8.

OpenVINO computes all outputs of a graph. A predictor compiles one graph per set of outputs: the
usual set when it is opened, others at their first use.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.errors import ModelError
from evalsuite.inference.batching import Batching
from evalsuite.machine import environment
from evalsuite.runtimes._bundle import (
    BundlePredictor,
    Feeds,
    check_files,
    default_outputs,
    read_card,
)
from evalsuite.runtimes._extras import require
from evalsuite.runtimes._products import Multiply

if TYPE_CHECKING:
    import numpy as np

# A bundle's precision -> what OpenVINO computes in where weights or activations are not quantized.
HINTS = {
    "fp32": "f32", "bf16": "bf16", "int8": "f32", "int8-bf16": "bf16", "int8-weights": "f32",
    "int4-weights": "f32",
}  # fmt: skip
# A bundle's precision -> type of its matrix products, for the machine's peak.
PRODUCTS = {
    "fp32": "fp32", "bf16": "bf16", "int8": "int8", "int8-bf16": "int8",
    "int8-weights": "fp32", "int4-weights": "fp32",  # its kernels are named brgemm_avx512_f32
}  # fmt: skip
MULTIPLY: Multiply = {}  # OpenVINO's products are compared with those of the other runtimes
_WITHOUT_BF16 = {"bf16": "fp32", "int8-bf16": "int8"}  # what is computed on other processors


def load(*others: str) -> Any:
    """The package; others of its extra are only looked for.

    Raises:
        MissingExtraError: it, or one of the others, is not installed.
    """
    require("openvino", "openvino", *others)
    from evalsuite.runtimes._openvino import openvino

    return openvino


def opens(directory: Path) -> bool:
    """Whether the directory is a bundle for this runtime."""
    return read_card(directory, "openvino") is not None


def modules(directory: Path) -> tuple[str, ...]:
    """What opening a bundle imports."""
    return ("evalsuite.runtimes._openvino",)


class Graph:
    """A model compiled for the CPU, once per set of outputs.

    Attributes:
        compiled: by names of outputs.
    """

    def __init__(self, model: Any, options: dict[str, Any], streams: int) -> None:
        self._model = model
        self._options = options | {"NUM_STREAMS": streams}
        self._free: dict[tuple[str, ...], list[Any]] = {}
        self.compiled: dict[tuple[str, ...], Any] = {}

    def compute(self, names: tuple[str, ...], feeds: Feeds) -> list[np.ndarray]:
        """These outputs; the rest of the graph is not computed."""
        request = self._request(names)
        try:
            result = request.infer(feeds)
            return [result[name] for name in names]
        finally:
            self._free[names].append(request)

    def start(self, names: tuple[str, ...], feeds: Feeds) -> Callable[[], list[np.ndarray]]:
        """Start to compute them; returns the function that waits for them.

        One thread of Python starts and waits for everything: two threads that pass inputs of new
        shapes at the same time can wait for each other for ever (openvino 2026.4).
        """
        request = self._request(names)
        request.start_async(feeds)

        def wait() -> list[np.ndarray]:
            try:
                request.wait()
                return [request.get_tensor(name).data.copy() for name in names]
            finally:
                self._free[names].append(request)

        return wait

    def _request(self, names: tuple[str, ...]) -> Any:
        compiled = self.compile(names)
        return self._free[names].pop() if self._free[names] else compiled.create_infer_request()

    def compile(self, names: tuple[str, ...]) -> Any:
        """The part of the graph that gives these outputs."""
        if names not in self.compiled:
            openvino = load()
            whole = self._model.clone()
            part = openvino.Model(
                [whole.output(name) for name in names], whole.get_parameters(), "part"
            )
            compiled = openvino.Core().compile_model(part, "CPU", self._options)
            self.compiled[names], self._free[names] = compiled, []
        return self.compiled[names]


class OpenVinoPredictor(BundlePredictor):
    """An OpenVINO model, compiled for the CPU, as a `Predictor`.

    OpenVINO prepares kernels for each new shape, so batches have few shapes. Its attention is
    slower just below a multiple of 16 tokens than at it (docs/LOG.md).
    """

    batching = Batching(768, 4, 16)

    def __init__(self, directory: Path, model: Any, card: dict[str, Any], threads: int) -> None:
        self._model = model
        self._options = {
            "INFERENCE_PRECISION_HINT": HINTS[card["precision"]],
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_HYPER_THREADING": True,  # or it uses fewer threads than asked
            "ENABLE_CPU_PINNING": False,  # or concurrent stages share their first core
        }
        self.graph = Graph(model, self._options, 1)
        usual = self.graph.compile(default_outputs(card))
        names = {name for output in model.outputs for name in output.get_names()}
        kept = usual.get_property("INFERENCE_PRECISION_HINT").to_string()
        precision = str(card["precision"])
        if kept != HINTS[precision]:
            precision = _WITHOUT_BF16[precision] if kept == "f32" else kept
        threads = int(usual.get_property("INFERENCE_NUM_THREADS"))
        super().__init__(directory, card, names, precision, threads)

    def compute(self, names: tuple[str, ...], feeds: Feeds) -> list[np.ndarray]:
        """These outputs of the graph; the rest of the graph is not computed."""
        return self.graph.compute(names, feeds)

    def start(self, names: tuple[str, ...], feeds: Feeds) -> Callable[[], list[np.ndarray]]:
        """Start the same in a separate stream."""
        return self.graph.start(names, feeds)

    def reopen(self, concurrent: bool) -> None:
        """Compile it for one stream per thread, or for one stream."""
        del self.graph  # free it first
        self.graph = Graph(self._model, self._options, self.threads if concurrent else 1)


def open_model(directory: Path, threads: int | None = None) -> OpenVinoPredictor:
    """Open a bundle on the CPU.

    Raises:
        MissingExtraError: OpenVINO is not installed.
        ModelError: it is not a bundle for OpenVINO, or the graph does not load.
    """
    openvino = load()
    card = read_card(directory, "openvino")
    if card is None or card.get("precision") not in HINTS:
        raise ModelError(f"{directory} is not a bundle for OpenVINO in {' or '.join(HINTS)}")
    check_files(directory, card)
    try:
        model = openvino.Core().read_model(directory / card["file"])
        return OpenVinoPredictor(directory, model, card, threads or environment.threads())
    except RuntimeError as error:
        raise ModelError(f"{directory} does not open in OpenVINO: {error}") from error
