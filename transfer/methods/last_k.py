"""The top layers and the task head are trained; the layers below and the embeddings are frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalsuite.find_family import family_of
from transfer.errors import MethodError
from transfer.methods._options import option, read
from transfer.methods._whole import head, refuse_rounded
from transfer.methods._whole import save as save

if TYPE_CHECKING:
    from evalsuite.machine.model_shape import ModelShape

GIVES = "checkpoint"


@dataclass(frozen=True, slots=True)
class Options:
    """How many layers are trained."""

    last: int | None = option(
        None, "Number of top layers that method last_k trains; that method needs it.", ge=1
    )


def check(format: str | None, precision: str, **options: Any) -> None:
    """Refuse a quantized base, and a recipe without `last`."""
    refuse_rounded("last_k", precision)
    if read(Options, options).last is None:
        raise MethodError("method: last_k needs last, the number of top layers to train: last: 2")


def refuse_sizes(config: Any, **options: Any) -> None:
    """Refuse more layers than the model has."""
    last, layers = read(Options, options).last, family_of(config).sizes(config).layers
    if last is not None and last > layers:
        raise MethodError(f"last: {last}, but the model has {layers} layers")


def reached(shape: ModelShape, **options: Any) -> int:
    """Layers that gradients are computed of: those below keep nothing."""
    return min(read(Options, options).last or 0, shape.layers)


def trained(shape: ModelShape, **options: Any) -> int:
    """Parameters that are trained, from the model's shape."""
    last = min(read(Options, options).last or 0, shape.layers)
    return (shape.linear + shape.biases) * last // shape.layers + shape.head


def prepare(model: Any, format: str | None, precision: str, **options: Any) -> Any:
    """The model itself, with all weights frozen except the `last` top layers and the head.

    Raises:
        MethodError: the base is quantized, or has fewer layers.
        UnknownNameError: its family is not known.
    """
    check(format, precision, **options)
    refuse_sizes(model.config, **options)
    family = family_of(model)
    layers = family.layers(model)
    last = read(Options, options).last
    assert last is not None  # as check requires
    model.requires_grad_(False)
    layers[-last:].requires_grad_(True)
    if family.final_norm is not None:
        model.base_model.get_submodule(family.final_norm).requires_grad_(True)
    for parameter in head(model):
        parameter.requires_grad_(True)
    return model
