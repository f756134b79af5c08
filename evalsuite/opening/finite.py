"""Refuse weights that are NaN or infinite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evalsuite.errors import NotFiniteError


def refuse_not_finite(directory: Path, model: Any) -> None:
    """Raise NotFiniteError where a weight of a model is NaN or infinite; names the first one."""
    import torch

    with torch.inference_mode():
        for name, weight in model.named_parameters():
            if not weight.is_floating_point() or torch.isfinite(weight.sum()):
                continue  # a sum is four times as fast, but can overflow
            wrong = int((~torch.isfinite(weight)).sum())
            if wrong:
                raise NotFiniteError(
                    f"{directory}: {wrong:,} of the {weight.numel():,} weights in {name} are NaN "
                    "or infinite\ncopy the checkpoint again, or train it again with a lower "
                    "learning_rate"
                )
