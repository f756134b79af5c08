"""The summary of a training, and the files it writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from transfer.loop.fit import Fitted
from transfer.loop.types import Summary
from transfer.models import cards, checkpoints
from transfer.models.heads import Joined, save_with_lm_head
from transfer.models.sentence_files import complete_sentence_files
from transfer.precision.quantized_embedding import QuantizedEmbedding
from transfer.supervised.options import Options


def training_summary(fitted: Fitted, model: nn.Module, footprint: dict[str, float]) -> Summary:
    """Steps, loss, speed and sizes of a training, for its stage's summary.

    Args:
        model: after training; its trained parameters are those that require gradients.
        footprint: megabytes of the base by part, in the precision it was held in.
    """
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return {
        "steps": fitted.steps,
        "examples seen": fitted.examples,
        "final loss": round(fitted.final_loss, 4),
        "compute": fitted.compute,
        "ms per step": round(1000 * fitted.seconds_per_step, 1),
        "trained parameters": count,
        "trained parameters %": round(100 * count / _weights(model), 3),
        **{f"base {name}": round(value, 3) for name, value in footprint.items()},
    }


def _weights(model: nn.Module) -> int:
    """Number of weights of a model, including those of embeddings that are stored as codes."""
    tables = [m for m in model.modules() if isinstance(m, QuantizedEmbedding)]
    held = sum(table.num_embeddings * table.embedding_dim for table in tables)
    return held + sum(_elements(p) for p in model.parameters())


def _elements(parameter: Any) -> int:
    """Number of weights in a parameter; a byte of `Params4bit` holds two of them."""
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
    """Write weights, tokenizer, the heads of several tasks, and the model card.

    Args:
        method: module of `transfer.methods`, which saves `model`.
        trained: `model`, or `model` joined with the heads that were trained next to it.
        names: of the tasks; none where the model was trained on text alone.
        directory: the checkpoint that was trained.
    """
    if isinstance(trained, Joined) and trained.heads:
        out.mkdir(parents=True, exist_ok=True)
        save_file(trained.named_heads(names), out / "heads.safetensors")
    if (
        isinstance(trained, Joined)
        and trained.lm_head is not None
        and model.base_model is model  # an encoder that no method wraps
    ):
        save_with_lm_head(model, trained.lm_head, out)
    else:
        method.save(model, out)
    checkpoints.copy_tokenizer(directory, out)
    if method.GIVES == "checkpoint":
        complete_sentence_files(out)
    table = model.config.id2label if len(names) == 1 else {}
    labels = [table[number] for number in sorted(table)]
    if method.GIVES != "checkpoint":
        checkpoints.write_training(
            out,
            base_precision=options.precision,
            embeddings=options.embeddings,
            task=names[0] if len(names) == 1 else None,
            tasks=list(names),
            labels=labels,
        )
    kind = cards.kind_of(model.config) if method.GIVES == "checkpoint" else method.GIVES
    (out / "README.md").write_text(
        cards.trained(
            names or ["text"], options.method, options.precision, directory, kind, labels
        ),
        encoding="utf-8",
    )
