"""A teacher's sentence embeddings, computed once and kept.

>>> vectors = targets(teacher, lines, work)    # [lines, width]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evalsuite.inference.batching import by_tokens
from evalsuite.retrieval.sentences import Pooling
from transfer.loop.batch_plan import padded
from transfer.objectives.sentences import pool

_SHARD = 20_000  # sentences a file
_AT_ONCE = 2000  # sentences between two reports of the progress
_TOKENS = 2048  # a batch


def targets(
    teacher: Callable[[Sequence[str]], np.ndarray],
    lines: Sequence[str],
    work: Path,
    progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> np.ndarray:
    """What `teacher` makes of `lines`, fp16 `[lines, width]`.

    Kept in `work` in files of 20,000, each written whole; a rerun computes what is missing, so
    `lines` must be what they were.
    """
    work.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in range(0, len(lines), _SHARD):
        path = work / f"targets-{start}.npy"
        if not path.is_file():
            vectors = []
            for first in range(start, min(start + _SHARD, len(lines)), _AT_ONCE):
                progress(0.0, f"{work.name} {first:,} of {len(lines):,}")
                some = lines[first : min(first + _AT_ONCE, start + _SHARD)]
                vectors.append(teacher(some).astype(np.float16))
            partial = path.with_suffix(".part")
            with partial.open("wb") as file:
                np.save(file, np.concatenate(vectors))
            partial.replace(path)
        parts.append(np.load(path))
    return np.concatenate(parts)


@torch.no_grad()
def embed(
    model: Any,
    sequences: Sequence[Sequence[int]],
    pad_id: int,
    compute: str,
    pooling: Pooling = "mean",
) -> np.ndarray:
    """Pooled last hidden states, unit length, fp32 `[sequences, width]`."""
    device = model.device
    result = np.zeros((len(sequences), model.config.hidden_size), dtype=np.float32)
    for batch in by_tokens([len(ids) for ids in sequences], _TOKENS):
        tensors = padded([sequences[i] for i in batch], pad_id)
        tensors = {name: value.to(device) for name, value in tensors.items()}
        with torch.autocast(device.type, torch.bfloat16, enabled=compute == "bf16"):
            hidden = model(**tensors).last_hidden_state
        result[batch] = pool(hidden, tensors["attention_mask"], pooling).cpu().numpy()
    return result
