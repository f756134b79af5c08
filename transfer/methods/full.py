"""Full fine-tuning: every weight is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transfer.errors import MethodError

GIVES = "checkpoint"


def prepare(model: Any, format: str | None, precision: str, **options: Any) -> Any:
    """The model itself.

    Raises:
        MethodError: the base is quantized, so its weights cannot be trained.
    """
    if precision in ("int8", "nf4"):
        raise MethodError(
            f"method full trains every weight, and {precision} weights cannot be trained; "
            "use method: lora, or precision: fp32 or bf16"
        )
    return model


def save(model: Any, out: Path) -> None:
    """Write a checkpoint."""
    model.save_pretrained(out)
