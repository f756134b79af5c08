"""Word embeddings of a checkpoint, and the bytes that a row takes in each form."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evalsuite.runtimes.torch import load_checkpoint

BYTES = {
    "fp32": 4 * 64, "int8": 64 + 4, "int4": 32 + 4,
    "rank-24": 4 * 24, "rank-24-int8": 24 + 4, "rank-24-int4": 12 + 4,
}  # of a row  # fmt: skip


def table_of(checkpoint: Path) -> np.ndarray:
    table: np.ndarray = load_checkpoint(checkpoint).get_input_embeddings().weight.detach().numpy()
    return table
