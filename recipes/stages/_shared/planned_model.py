"""What `plan` knows of a model before it exists, and what stages that train it will hold.

>>> model = PlannedModel(plain_config(read_config(directory)), head="pair", labels=3)
>>> training_memory(config, model).total
9123456789
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalsuite.find_family import longest_of
from evalsuite.machine.memory import Memory
from evalsuite.machine.model_shape import ModelShape
from transfer.find_task import find_task
from transfer.loop.compute import resolve_compute
from transfer.memory.running import running
from transfer.memory.training import Training, needed

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """

    config: Any
    head: str | None = None
    labels: int = 2
    precision: Precision = "fp32"
    embeddings: Embeddings = "fp32"

    def shape(self) -> ModelShape:
        """Sizes, and parameters by part."""
        return ModelShape.of(self.config, self.head, self.labels)


def training_memory(config: Any, model: PlannedModel, **changed: Any) -> Memory:
    """What a stage holds at its peak that trains one model, by the keys of `TrainingConfig`.

    Args:
        changed: of `transfer.memory.training.Training`, in place of what the keys say.
    """
    length = min(config.max_length, longest_of(model.config))
    rows = config.batch_size
    if tokens := getattr(config, "batch_tokens", None):
        rows = max(1, tokens // length)
    if any(find_task(name).format == "choice" for name in getattr(config, "tasks", ())):
        rows *= _CHOICES
    effective = getattr(config, "effective_batch", None) or 0
    training = {
        "batch": rows,
        "length": length,
        "bf16": resolve_compute(config.compute) == "bf16",
        "checkpointing": config.gradient_checkpointing,
        "accumulates": config.accumulate > 1 or effective > rows,
        "masked": _PREDICTED if getattr(config, "mlm", 0) else 0.0,
        "frozen_words": config.freeze_embeddings,
    }
    return needed(model.shape(), Training(**{**training, **changed}))


def running_memory(models: Sequence[PlannedModel]) -> Memory:
    """What a stage holds that runs models one after the other: the largest of them."""
    each = (running(model.shape(), model.precision, model.embeddings) for model in models)
    return max(each, key=lambda memory: memory.total)
