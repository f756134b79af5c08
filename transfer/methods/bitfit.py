"""BitFit (Ben Zaken et al. 2021): the biases and the task head are trained, no other weight.

The biases of attention, feed-forward layers and layer norms, including the layer norm of the
embeddings, are 0.04% of the parameters of XLM-R base.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalsuite.find_family import family_of
from transfer.errors import MethodError
from transfer.methods._whole import head, refuse_rounded
from transfer.methods._whole import save as save

if TYPE_CHECKING:
    from evalsuite.machine.model_shape import ModelShape

GIVES = "checkpoint"


def check(format: str | None, precision: str, **options: Any) -> None:
    """Refuse a quantized base: the result is a whole checkpoint."""
    refuse_rounded("bitfit", precision)


def refuse_sizes(config: Any, **options: Any) -> None:
    """Refuse an encoder without biases: its head alone would be trained."""
    family = family_of(config)
    if not family.has_biases(config):
        raise MethodError(
            f"method: bitfit trains biases, and this {family.name} model has none; "
            "use method: last_k or method: lora"
        )


def trained(shape: ModelShape, **options: Any) -> int:
    """Parameters that are trained, from the model's shape."""
    return shape.biases + shape.head


def prepare(model: Any, format: str | None, precision: str, **options: Any) -> Any:
    """The model itself, with all weights frozen except the biases and the head.

    Raises:
        MethodError: the base is quantized, or has no biases.
        UnknownNameError: its family is not known.
    """
    check(format, precision)
    refuse_sizes(model.config)
    model.requires_grad_(False)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.endswith(".bias"))
    for parameter in head(model):
        parameter.requires_grad_(True)
    return model
