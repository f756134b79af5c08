"""Full fine-tuning: every weight is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transfer.methods._whole import refuse_rounded
from transfer.methods._whole import save as save

if TYPE_CHECKING:
    from evalsuite.machine.model_shape import ModelShape

GIVES = "checkpoint"


def check(format: str | None, precision: str, **options: Any) -> None:
    """Refuse a quantized base."""
    refuse_rounded("full", precision)


def trained(shape: ModelShape, *, freeze_embeddings: bool = False, **options: Any) -> int:
    """Parameters that are trained, from the model's shape."""
    return shape.parameters - (shape.words if freeze_embeddings else 0)


def prepare(
    model: Any,
    format: str | None,
    precision: str,
    *,
    freeze_embeddings: bool = False,
    **options: Any,
) -> Any:
    """The model itself; every weight is trained, except the embeddings where they are frozen.

    Training on English alone moves the embeddings of English words away from those of their
    translations; `freeze_embeddings` prevents that.

    Raises:
        MethodError: the base is quantized, so its weights cannot be trained.
    """
    check(format, precision)
    model.get_input_embeddings().weight.requires_grad_(not freeze_embeddings)
    return model
