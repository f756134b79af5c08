"""Full fine-tuning: every weight is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transfer.errors import MethodError

GIVES = "checkpoint"


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
    if precision in ("int8", "nf4"):
        raise MethodError(
            f"method full trains every weight, and {precision} weights cannot be trained; "
            "use method: lora, or precision: fp32 or bf16"
        )
    model.get_input_embeddings().weight.requires_grad_(not freeze_embeddings)
    return model


def save(model: Any, out: Path) -> None:
    """Write a checkpoint."""
    model.save_pretrained(out)
