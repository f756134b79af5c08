"""What `plan` knows of a model before it exists, and what stages that train it will hold.

>>> model = PlannedModel(plain_config(read_config(directory)), head="pair", labels=3)
>>> training_memory(config, model).total
9123456789
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.find_family import longest_of
from evalsuite.machine.memory import Memory, has_gpu
from evalsuite.machine.model_shape import ModelShape
from recipes.errors import NotKnownAheadError
from transfer.find_task import find_task
from transfer.loop.compute import resolve_compute
from transfer.memory.running import running
from transfer.memory.training import Training, needed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compress.export.exporter import Precision as Exported
    from transfer.models.checkpoints import Embeddings, Precision

_CHOICES = 4  # sequences of a row of a multiple-choice task, at most
_PREDICTED = 0.15  # share of tokens that masked LM predicts


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """A model as far as it is known ahead.

    Attributes:
        config: an object with transformers' names, as `evalsuite.plain_config` makes it.
        head: format of its task head; None for an encoder.
        labels: that the head gives.
        precision, embeddings: its weights are stored in; of an adapter those of its base.
        tokenizer: directory of the tokenizer it reads text with, or of the one it is trimmed from;
            None where there is none yet.
        bundle: runtime and precision of a bundle.
    """

    config: Any
    head: str | None = None
    labels: int = 2
    precision: Precision = "fp32"
    embeddings: Embeddings = "fp32"
    tokenizer: Path | None = None
    bundle: tuple[str, str] | None = None

    @property
    def on_cpu(self) -> bool:
        """Whether its runtime computes on the CPU, even where there is a GPU."""
        return self.bundle is not None and self.bundle[0] != "torch"

    def shape(self) -> ModelShape:
        """Sizes, and parameters by part."""
        return ModelShape.of(self.config, self.head, self.labels)


def training_memory(config: Any, model: PlannedModel, *, sides: int = 1, **changed: Any) -> Memory:
    """What a stage holds at its peak that trains one model, by the keys of `TrainingConfig`.

    Args:
        sides: texts of a row that are read one after the other, and are all kept.
        changed: of `transfer.memory.training.Training`, in place of what the keys say.
    """
    length = min(config.max_length, longest_of(model.config))
    effective = getattr(config, "effective_batch", None) or 0
    rows = min(config.batch_size, effective or config.batch_size)
    names = getattr(config, "tasks", ())
    each = _CHOICES if any(find_task(name).format == "choice" for name in names) else 1
    if tokens := getattr(config, "batch_tokens", None):
        rows = max(1, tokens // (length * each))
    cut = effective > rows or tokens is not None
    training = {
        "batch": rows * each * sides,
        "length": length,
        "bf16": resolve_compute(config.compute) == "bf16",
        "checkpointing": config.gradient_checkpointing,
        "accumulates": config.accumulate > 1 or cut,
        "masked": _PREDICTED if getattr(config, "mlm", 0) else 0.0,
        "frozen_words": config.freeze_embeddings,
    }
    return needed(model.shape(), Training(**{**training, **changed}))


def running_memory(models: Sequence[PlannedModel]) -> Memory:
    """What a stage holds that runs models one after the other: the largest of them."""
    return max(map(_running, models), key=lambda memory: memory.total)


def _running(model: PlannedModel) -> Memory:
    gpu = has_gpu() and not model.on_cpu
    memory = running(model.shape(), model.precision, model.embeddings, gpu)
    if model.bundle is None:
        return memory
    return Memory({**memory.parts, "weights": bundle_bytes(model)})


def speed(model: PlannedModel) -> float:
    """How many times as fast as torch in fp32 a model's runtime is in its precision.

    Raises:
        NotKnownAheadError: that was not measured.
    """
    if model.bundle is None:
        return 1.0
    found = _precision(model).speed
    if found is None:
        raise NotKnownAheadError(f"the speed of {' '.join(model.bundle)} was not measured")
    return found


def bundle_bytes(model: PlannedModel) -> int:
    """Bytes of the graph of a bundle, or of its weights."""
    shape, stored = model.shape(), _precision(model)
    rest = shape.biases + shape.tables + shape.head
    sizes = stored.bytes_of_weights, stored.bytes_of_words
    return round(shape.linear * sizes[0] + shape.words * sizes[1] + rest * min(4, 2 * sizes[1]))


def _precision(model: PlannedModel) -> Exported:
    from compress.export.registry import EXPORTERS

    assert model.bundle is not None
    runtime, precision = model.bundle
    found: Exported = EXPORTERS.get(runtime).precisions[precision]
    return found
