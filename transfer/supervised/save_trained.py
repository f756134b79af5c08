"""What a training tells of itself, and what it writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import XLMRobertaModel

from transfer.loop.fit import Fitted
from transfer.models import cards, checkpoints
from transfer.models.heads import Joined, save_with_lm_head
from transfer.precision.quantized_embedding import QuantizedEmbedding

if TYPE_CHECKING:
    from transfer.supervised.train_tasks import Options

Facts = dict[str, float | int | str]


def facts_of(fitted: Fitted, model: nn.Module, footprint: dict[str, float]) -> Facts:
    """For a stage's summary.

    Args:
        footprint: megabytes of the base by part, as it was held.
    """
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return {
        "steps": fitted.steps,
        "examples seen": fitted.examples,
        "final loss": round(fitted.final_loss, 4),
        "compute": fitted.compute,
        "ms a step": round(1000 * fitted.seconds_a_step, 1),
        "trained parameters": count,
        "trained parameters %": round(100 * count / _weights(model), 3),
        **{f"base {name}": round(value, 3) for name, value in footprint.items()},
    }


def _weights(model: nn.Module) -> int:
    """Weights of a model, those of embeddings held as codes too."""
    tables = [m for m in model.modules() if isinstance(m, QuantizedEmbedding)]
    held = sum(table.num_embeddings * table.embedding_dim for table in tables)
    return held + sum(_elements(p) for p in model.parameters())


def _elements(parameter: Any) -> int:
    """Weights in a parameter; 4-bit ones are stored two a byte."""
    packed = type(parameter).__name__ == "Params4bit" and parameter.dtype == torch.uint8
    return int(parameter.numel()) * (2 if packed else 1)


def write(
    method: Any,
    model: Any,
    trained: Any,
    names: Sequence[str],
    directory: Path,
    options: Options,
    out: Path,
) -> None:
    """Weights, tokenizer, heads of several tasks, card.

    Args:
        names: of the tasks; none where text alone was trained on.
        directory: the checkpoint that was trained.
    """
    if isinstance(trained, Joined) and trained.heads:
        out.mkdir(parents=True, exist_ok=True)
        save_file(trained.named_heads(names), out / "heads.safetensors")
    if (
        isinstance(trained, Joined)
        and trained.lm_head is not None
        and type(model) is XLMRobertaModel
    ):
        save_with_lm_head(model, trained.lm_head, out)
    else:
        method.save(model, out)
    checkpoints.copy_tokenizer(directory, out)
    if method.GIVES != "checkpoint":
        checkpoints.write_training(
            out,
            base_precision=options.precision,
            embeddings=options.embeddings,
            task=names[0] if len(names) == 1 else None,
            tasks=list(names),
        )
    (out / "README.md").write_text(
        cards.trained(
            names or ["text"], options.method, options.precision, directory, method.GIVES
        ),
        encoding="utf-8",
    )
