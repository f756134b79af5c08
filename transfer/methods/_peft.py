"""What methods share that write peft's format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# peft's name of each format; it has none for choices. None is an encoder without a head.
TASKS: dict[str | None, str | None] = {
    "pair": "SEQ_CLS",
    "tagging": "TOKEN_CLS",
    "span": "QUESTION_ANS",
    "choice": None,
    "ranking": "FEATURE_EXTRACTION",
    None: "FEATURE_EXTRACTION",
}


def save(model: Any, out: Path) -> None:
    """Write `adapter_config.json` and `adapter_model.safetensors`."""
    model.save_pretrained(out, save_embedding_layers=False)
