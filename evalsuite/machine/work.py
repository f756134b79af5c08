"""What a piece of work computes and moves, whatever the machine does it.

>>> batches = Batches(shape, rows=16, length=32, count=100, backward="weights")
>>> work = Work((batches,), updated=100 * shape.parameters, written=4 * shape.parameters)
>>> {part: round(seconds) for part, seconds in work.seconds(Probe()).items()}
{'compute': 61, 'optimizer': 9, 'read': 0, 'write': 1, 'text': 0, 'other': 0}

A machine says how fast it is (`Rates`); `evalsuite.machine.probe` measures it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Protocol

from evalsuite.machine.model_shape import ModelShape

Backward = Literal["none", "inputs", "weights"]


@dataclass(frozen=True, slots=True)
class Batches:
    """Batches that go through all layers of a model.

    Attributes:
        rows, length: of a batch, padding included.
        count: number of batches.
        backward: what gradients are computed of: nothing, what the layers are given (frozen
            weights), or the weights too.
        bf16: products are computed in bf16 (autocast).
        dropout: whether values are dropped at random.
        updates: linear layers of a layer that have a LoRA update.
        times: how many times as fast as torch in fp32 the runtime is.
        on_cpu: the runtime computes on the CPU, even where there is a GPU.
        threads: that the runtime computes with; None: as many as the stage has.
    """

    shape: ModelShape
    rows: int
    length: int
    count: float
    backward: Backward = "none"
    bf16: bool = False
    dropout: bool = False
    updates: int = 0
    times: float = 1.0
    on_cpu: bool = False
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Predictions:
    """Pieces that a masked-LM head predicts, forward and backward.

    Attributes:
        rows: predicted pieces of a batch.
        width: of the hidden states.
        pieces: of the vocabulary.
        count: number of batches.
    """

    rows: int
    width: int
    pieces: int
    count: float


class Rates(Protocol):
    """How fast a machine is."""

    def batch(self, batches: Batches) -> float:
        """Seconds of one batch through all layers."""

    def update(self) -> float:
        """Seconds per parameter of an optimizer step."""

    def predictions(self, predictions: Predictions) -> float:
        """Seconds of the predictions of one batch."""

    def read(self) -> float:
        """Seconds per byte of weights that are opened and hashed."""

    def write(self) -> float:
        """Seconds per byte that is written."""

    def call(self) -> float:
        """Seconds per call of a small operation."""


@dataclass(frozen=True, slots=True)
class Work:
    """Numbers add up over the whole of the work.

    Attributes:
        batches: what goes through layers.
        updated: parameters that the optimizer steps update, over all steps.
        predictions: of masked-LM heads.
        read: bytes of weights that are opened.
        written: bytes that are written.
        saved: bytes that are written per second of computing: snapshots of a training.
        calls: small operations, whose time is that of the interpreter.
        text: seconds of tokenizers and of reading rows, as they were measured.
        other: seconds that are the same on every machine.
        output: bytes of the result.
        working: bytes that are on disk while the work is done, at most.
    """

    batches: tuple[Batches, ...] = ()
    updated: float = 0.0
    predictions: tuple[Predictions, ...] = ()
    read: float = 0.0
    written: float = 0.0
    saved: float = 0.0
    calls: float = 0.0
    text: float = 0.0
    other: float = 0.0
    output: float = 0.0
    working: float = 0.0

    def __add__(self, more: Work) -> Work:
        """One after the other."""
        return Work(*(getattr(self, f.name) + getattr(more, f.name) for f in fields(self)))

    def times(self, count: float) -> Work:
        """The same again and again.

        >>> Work(read=2.0).times(3).read
        6.0
        """
        counted = ("batches", "predictions")
        found: dict[str, Any] = {
            f.name: tuple(replace(one, count=one.count * count) for one in getattr(self, f.name))
            if f.name in counted
            else getattr(self, f.name) * count
            for f in fields(self)
        }
        return Work(**found)

    def seconds(self, machine: Rates) -> dict[str, float]:
        """Seconds by part."""
        compute = sum(one.count * machine.batch(one) for one in self.batches)
        compute += sum(one.count * machine.predictions(one) for one in self.predictions)
        optimizer = self.updated * machine.update() if self.updated else 0.0
        written = self.written + self.saved * (compute + optimizer)
        return {
            "compute": compute,
            "optimizer": optimizer,
            "read": self.read * machine.read() if self.read else 0.0,
            "write": written * machine.write() if written else 0.0,
            "text": self.text,
            "other": self.other + (self.calls * machine.call() if self.calls else 0.0),
        }
