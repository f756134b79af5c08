"""A checkpoint with a head of any format, whose outputs spread."""

from __future__ import annotations

from pathlib import Path

import torch

from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import auto_class
from transfer.models.checkpoints import copy_tokenizer


def headed(base: Path, head: str | None, out: Path) -> Path:
    """The tiny base with larger weights and a new head of a format, so that outputs spread."""
    labels = {"pair": TASKS.get("xnli").labels, "tagging": TASKS.get("panx").labels}.get(
        head or "", ("0", "1")
    )
    torch.manual_seed(0)
    model = auto_class(head).from_pretrained(base, id2label=dict(enumerate(labels)))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 2 and "embeddings" not in name:
                weight.mul_(4)
    model.save_pretrained(out)
    copy_tokenizer(base, out)
    return out
