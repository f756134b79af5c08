"""Full fine-tuning: every weight is trained."""

from __future__ import annotations

from typing import Any

from transfer.methods._whole import refuse_quantized
from transfer.methods._whole import save as save

GIVES = "checkpoint"


def check(format: str | None, precision: str, **options: Any) -> None:
    """Refuse a quantized base."""
    refuse_quantized("full", precision)


def prepare(
    model: Any,
    format: str | None,
    precision: str,
    *,
    freeze_embeddings: bool = False,
    **options: Any,
) -> Any:
    """The model itself; every weight is trained, the word embeddings only if wanted.

    Training on English alone moves English words away from their translations; frozen embeddings
    cannot.

    Raises:
        MethodError: the base is quantized, so its weights cannot be trained.
    """
    check(format, precision)
    model.get_input_embeddings().weight.requires_grad_(not freeze_embeddings)
    return model
