"""How fast this machine is now, measured in a fraction of a second per figure.

>>> probe = Probe()
>>> probe.batch(Batches(shape, rows=16, length=32, count=1, backward="weights"))
0.61

What is measured is what stages do: a layer of the very shape, forward and backward, on as many
threads; a step of AdamW; a masked-LM head; reading with a digest, and writing. Each
figure is measured once per process, and is the fastest of a few runs: what else the machine does
at that moment can slow a run down, and none is faster than the machine.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evalsuite.machine.memory import has_gpu
from evalsuite.machine.work import Batches, Predictions

_SECONDS = 0.1  # per figure, if every run were as the fastest
_LEAST, _MOST = 3, 5  # runs, however long they take
_OPERATIONS = 4e9  # of one run of a layer, at most: a larger batch is measured in part
_PARAMETERS = 9_000_000  # of an optimizer step
_PIECES = 32_768  # of the vocabulary of a masked-LM head, at most
_BYTES = 32_000_000  # that are written
_RANK, _RATE = 16, 0.1  # of LoRA updates, of dropout
_PER = {
    "layer": "run of one layer",
    "update": "parameter",
    "predictions": "run of the head",
    "read": "byte",
    "write": "byte",
    "call": "operation",
}
_Key = tuple[str, tuple[tuple[str, object], ...]]


class Probe:
    """Rates of this machine; see `evalsuite.machine.work.Rates`.

    Args:
        place: directory that is written to; default: that of temporary files.
        clock: seconds; `time.process_time` does not count other programs.
        threads: that torch computes with while it is measured; default: as many as it has.
        device: `cpu` or `cuda`; default: the GPU that torch sees, else the processor. Batches may
            say that they are computed on the CPU, or with other threads.
    """

    def __init__(
        self,
        place: Path | None = None,
        clock: Callable[[], float] = time.perf_counter,
        threads: int | None = None,
        device: str | None = None,
    ) -> None:
        self.place, self.clock, self.threads = place, clock, threads
        self._found: dict[_Key, float] = {}
        self._device = device or ("cuda" if has_gpu() else "cpu")

    def figures(self) -> list[dict[str, Any]]:
        """All that was measured so far: what, of which size, and the seconds per what.

        >>> probe.figures()[-1]
        {'figure': 'write', 'seconds': 4.1e-10, 'per': 'byte'}
        """
        return [
            {"figure": what, **dict(sizes), "seconds": seconds, "per": _PER[what]}
            for (what, sizes), seconds in self._found.items()
        ]

    def batch(self, batches: Batches) -> float:
        """Seconds of one batch through all layers, where and with the threads that it says."""
        shape = batches.shape
        device = "cpu" if batches.on_cpu else self._device
        threads = batches.threads or self.threads
        unlike: dict[str, object] = {}  # where this is not as the probe's other figures
        if device != self._device:
            unlike["device"] = device
        if threads != self.threads:
            unlike["threads"] = threads
        each = 4 * shape.width * shape.attention + 2 * batches.length * shape.attention
        each += (3 if shape.gated else 2) * shape.width * shape.units
        row = 2 * each * batches.length * (1 if batches.backward == "none" else 3)
        rows = max(1, min(batches.rows, int(_OPERATIONS / row)))
        seconds = self._once(
            "layer",
            lambda: self._fastest(_layer(batches, rows, device), threads),
            width=shape.width,
            attention=shape.attention,
            heads=shape.heads,
            units=shape.units,
            gated=shape.gated,
            rows=rows,
            length=batches.length,
            backward=batches.backward,
            bf16=batches.bf16,
            dropout=batches.dropout,
            updates=batches.updates,
            **unlike,
        )
        return seconds * shape.layers * batches.rows / rows / batches.times

    def update(self) -> float:
        """Seconds per parameter of an optimizer step: gradients are made, cut and applied."""
        return self._once("update", lambda: self._fastest(_step(self._device)) / _PARAMETERS)

    def predictions(self, predictions: Predictions) -> float:
        """Seconds of the predictions of one batch; a large vocabulary is measured in part."""
        rows, width = max(1, predictions.rows), predictions.width
        pieces = min(predictions.pieces, _PIECES)
        run = _head(rows, width, pieces, self._device)
        sizes = {"rows": rows, "width": width, "pieces": pieces}
        seconds = self._once("predictions", lambda: self._fastest(run), **sizes)
        return seconds * predictions.pieces / pieces

    def read(self) -> float:
        """Seconds per byte that is read from memory and hashed."""
        content = bytes(_BYTES)
        return self._once(
            "read", lambda: self._fastest(lambda: hashlib.sha256(content).digest()) / _BYTES
        )

    def write(self) -> float:
        """Seconds per byte that is written to a file."""
        content = bytes(_BYTES)

        def write() -> None:
            with tempfile.NamedTemporaryFile(dir=self.place) as file:
                file.write(content)

        return self._once("write", lambda: self._fastest(write) / _BYTES)

    def call(self) -> float:
        """Seconds per call of a small operation."""
        return self._once("call", lambda: self._fastest(_calls()) / _CALLS)

    def _fastest(self, run: Callable[[], object], threads: int | None = None) -> float:
        """Seconds of a run: the fastest of some, which a slow start or other work changes little.

        Args:
            threads: default: the probe's.
        """
        seconds: list[float] = []
        with _torch_threads(threads or self.threads):
            while len(seconds) < _LEAST or (
                len(seconds) < _MOST and min(seconds) * len(seconds) < _SECONDS
            ):
                begun = self.clock()
                run()
                seconds.append(self.clock() - begun)
        return min(seconds)

    def _once(self, what: str, measure: Callable[[], float], **sizes: object) -> float:
        key = (what, tuple(sizes.items()))
        if key not in self._found:
            self._found[key] = measure()
        return self._found[key]


@contextmanager
def _torch_threads(count: int | None) -> Iterator[None]:
    """Have torch compute with a number of threads; with None nothing changes."""
    if count is None:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _layer(batches: Batches, rows: int, device: str) -> Callable[[], object]:
    """A run of one layer with random weights."""
    import torch
    from torch.nn import functional

    shape, length = batches.shape, batches.length
    trained, inputs = batches.backward == "weights", batches.backward != "none"

    def weight(*sizes: int) -> Any:
        return (torch.randn(*sizes, device=device) / 50).requires_grad_(trained)

    attention = [weight(shape.attention, shape.width) for _ in range(3)]
    biases = [weight(shape.attention) for _ in range(3)]
    output = weight(shape.width, shape.attention)
    inward = weight(shape.units * (2 if shape.gated else 1), shape.width)
    outward = weight(shape.width, shape.units)
    narrow = [
        (
            (torch.randn(_RANK, shape.width, device=device) / 50).requires_grad_(),
            torch.zeros(shape.attention, _RANK, device=device).requires_grad_(),
        )
        for _ in range(min(batches.updates, len(attention)))
    ]
    states = torch.randn(rows, length, shape.width, device=device).requires_grad_(inputs)
    rate = _RATE if batches.dropout else 0.0
    size = shape.attention // shape.heads
    seen = torch.ones(rows, 1, length, length, dtype=torch.bool, device=device)

    def dropped(values: Any) -> Any:
        return functional.dropout(values, rate) if rate else values

    def heads(number: int) -> Any:
        found = functional.linear(states, attention[number], biases[number])
        if number < len(narrow):
            first, second = narrow[number]
            found = found + functional.linear(functional.linear(dropped(states), first), second)
        return found.view(rows, length, shape.heads, size).transpose(1, 2)

    def forward() -> Any:
        mixed = functional.scaled_dot_product_attention(
            heads(0), heads(1), heads(2), attn_mask=seen, dropout_p=rate
        )
        mixed = mixed.transpose(1, 2).reshape(rows, length, shape.attention)
        middle = functional.layer_norm(
            states + dropped(functional.linear(mixed, output)), (shape.width,)
        )
        units = functional.gelu(functional.linear(middle, inward))
        if shape.gated:
            units = units[..., : shape.units] * units[..., shape.units :]
        return functional.layer_norm(
            middle + dropped(functional.linear(units, outward)), (shape.width,)
        )

    def run() -> None:
        with torch.set_grad_enabled(inputs), torch.autocast(device, torch.bfloat16, batches.bf16):
            found = forward()
        if inputs:
            found.sum().backward()
        if device == "cuda":
            torch.cuda.synchronize()

    return run


def _step(device: str) -> Callable[[], object]:
    """A step of AdamW, with gradients that are made and cut."""
    import torch

    weight = torch.zeros(_PARAMETERS, device=device, requires_grad=True)
    optimizer = torch.optim.AdamW([weight], fused=True)

    def run() -> None:
        weight.grad = torch.full_like(weight, 1e-3)
        torch.nn.utils.clip_grad_norm_([weight], 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if device == "cuda":
            torch.cuda.synchronize()

    return run


def _head(rows: int, width: int, pieces: int, device: str) -> Callable[[], object]:
    """Predictions of a masked-LM head whose weights are the word embeddings."""
    import torch
    from torch.nn import functional

    words = (torch.randn(pieces, width, device=device) / 50).requires_grad_()
    states = torch.randn(rows, width, device=device).requires_grad_()
    labels = torch.randint(pieces, (rows,), device=device)

    def run() -> None:
        words.grad = torch.zeros_like(words)  # that of the lookup, which is added to
        loss: Any = functional.cross_entropy(functional.linear(states, words), labels)
        loss.backward()
        if device == "cuda":
            torch.cuda.synchronize()

    return run


_CALLS = 300


def _calls() -> Callable[[], object]:
    import torch

    vector = torch.zeros(4)

    def run() -> None:
        for _ in range(_CALLS):
            torch.add(vector, vector)

    return run
