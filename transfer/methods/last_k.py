"""The top layers and the task head are trained; the layers below and the embeddings stay."""

from __future__ import annotations

from typing import Any

from transfer.errors import MethodError
from transfer.methods._whole import head, refuse_quantized
from transfer.methods._whole import save as save

GIVES = "checkpoint"


def check(format: str | None, precision: str, *, last: int | None = None, **options: Any) -> None:
    """Refuse a quantized base, and a recipe that does not say how many layers."""
    refuse_quantized("last_k", precision)
    if last is None:
        raise MethodError("method: last_k needs last, the number of layers trained: last: 2")


def prepare(
    model: Any, format: str | None, precision: str, *, last: int | None = None, **options: Any
) -> Any:
    """The model itself, all frozen but its `last` topmost layers and the head.

    Raises:
        MethodError: the base is quantized, or has fewer layers.
    """
    check(format, precision, last=last)
    layers = model.base_model.encoder.layer
    if last is None or last > len(layers):
        raise MethodError(f"last: {last}, but the model has {len(layers)} layers")
    model.requires_grad_(False)
    layers[-last:].requires_grad_(True)
    for parameter in head(model):
        parameter.requires_grad_(True)
    return model
