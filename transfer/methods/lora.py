"""LoRA (Hu et al. 2021) on a base of any precision, through peft.

Low-rank updates of the attention's query and value projections, the task head trained beside
them (peft's `modules_to_save`). On an NF4 base this is QLoRA (Dettmers et al. 2023).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

GIVES = "adapter"
_PEFT_TASK: dict[str | None, str | None] = {
    "pair": "SEQ_CLS",
    "tagging": "TOKEN_CLS",
    "span": "QUESTION_ANS",
    "choice": None,  # peft has no task of its own for it, so its head is named below
    "ranking": "FEATURE_EXTRACTION",
    None: "FEATURE_EXTRACTION",
}


def prepare(
    model: Any,
    format: str | None,
    precision: str,
    *,
    rank: int = 16,
    alpha: int = 32,
    dropout: float = 0.05,
    targets: tuple[str, ...] = ("query", "value"),
    **options: Any,
) -> Any:
    """Wrap the model; only the adapter and the head require gradients.

    Args:
        rank: r, rows of the update; alpha / rank scales it.
        targets: names of the linear layers that get one.
    """
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        task_type=_PEFT_TASK[format],
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=list(targets),
        modules_to_save=["classifier", "pooler"] if format == "choice" else None,
    )
    return get_peft_model(model, config)


def save(model: Any, out: Path) -> None:
    """Write `adapter_config.json` and `adapter_model.safetensors`."""
    model.save_pretrained(out, save_embedding_layers=False)
