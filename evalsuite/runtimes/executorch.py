"""ExecuTorch: bundles for phones and small boards, run here with executorch, torch and tokenizers.

>>> open_model(Path("student-executorch"), threads=1).precision
'int8'

A bundle's `model.pte` runs on a phone without Python; here torch only carries the arrays in and
out. A program computes all of its outputs at every run, so it has those that most uses need and no
others: the head's, or an encoder's last hidden states. It takes one row per run.

The threads of XNNPACK are those of the process: the bundle that is opened last sets them for all.
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

# A bundle's precision -> type of its matrix products, for the machine's peak.
PRODUCTS = {"fp32": "fp32", "int8": "int8"}
_LEAST = 2  # tokens: a program is traced for several
MULTIPLY: Multiply = {}  # its products are compared with those of the other runtimes


def opens(directory: Path) -> bool:
    """Whether the directory is a bundle for this runtime."""
    return read_card(directory, "executorch") is not None


def modules(directory: Path) -> tuple[str, ...]:
    """What opening a bundle imports."""
    return ("evalsuite.runtimes._executorch",)


class ExecutorchPredictor(BundlePredictor):
    """A program as a `Predictor`; it runs one row at a time, without its padding."""

    batching = Batching(1)

    def __init__(self, directory: Path, card: dict[str, Any], method: Any, threads: int) -> None:
        self._method = method
        self._in_order = default_outputs(card)  # an encoder's pooled output may come after them
        super().__init__(directory, card, set(self._in_order), str(card["precision"]), threads)

    def compute(self, names: tuple[str, ...], feeds: Feeds) -> list[np.ndarray]:
        """These outputs, fp32; what belongs to padding is 0."""
        rows = zip(feeds["input_ids"], feeds["attention_mask"], strict=True)
        found = [self._row(ids, mask) for ids, mask in rows]
        width = feeds["input_ids"].shape[-1]
        return [
            _stacked([row[self._in_order.index(name)] for row in found], name, width)
            for name in names
        ]

    def _row(self, ids: np.ndarray, mask: np.ndarray) -> list[np.ndarray]:
        """All outputs of a row, `[labels]` or `[tokens, ...]`, up to its last real token."""
        from evalsuite.runtimes._executorch import torch

        real = mask.reshape(-1, mask.shape[-1]).max(0).nonzero()[0]
        length = max(_LEAST, int(real[-1]) + 1 if len(real) else 0)
        given = [torch.tensor(part[None, ..., :length], dtype=torch.int64) for part in (ids, mask)]
        return [value.numpy()[0] for value in self._method(given)]

    def start(self, names: tuple[str, ...], feeds: Feeds) -> Callable[[], list[np.ndarray]]:
        """Compute them at once: a program runs one batch at a time."""
        found = self.compute(names, feeds)
        return lambda: found

    def reopen(self, concurrent: bool) -> None:
        """Nothing: the program serves both."""


def _stacked(rows: list[np.ndarray], name: str, width: int) -> np.ndarray:
    """Rows of one output together; those of tokens are filled with 0, `[batch, width, ...]`."""
    import numpy as np

    if name == "logits" and rows[0].ndim == 1:  # `[labels]`
        return np.stack(rows)
    filled = np.zeros((len(rows), width, *rows[0].shape[1:]), np.float32)
    for place, row in zip(filled, rows, strict=True):
        place[: len(row)] = row[:width]
    return filled


def open_model(directory: Path, threads: int | None = None) -> ExecutorchPredictor:
    """Open a bundle.

    Raises:
        MissingExtraError: executorch is not installed.
        ModelError: it is not a bundle for ExecuTorch, or the program does not load.
    """
    require("executorch", "executorch")
    card = read_card(directory, "executorch")
    if card is None or card.get("precision") not in PRODUCTS:
        raise ModelError(f"{directory} is not a bundle for ExecuTorch in {' or '.join(PRODUCTS)}")
    check_files(directory, card)
    from evalsuite.runtimes._executorch import runtime

    threads = threads or environment.threads()
    if runtime._threadpool_get_thread_count() != threads:
        runtime._unsafe_reset_threadpool(threads)
    try:
        program = runtime._load_program(str(directory / card["file"]))
        method = program.load_method("forward")
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"{directory} does not open in ExecuTorch: {error}") from error
    return ExecutorchPredictor(directory, card, method, runtime._threadpool_get_thread_count())
