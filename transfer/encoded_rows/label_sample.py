"""Labels of training rows, as the loss compares them.

>>> label_sample(rows)     # scores
tensor([[2.5], [4.0]])
>>> label_sample(tagged)   # every word of a sample of sentences
tensor([0, 3, 0, 0, 7])
"""

from __future__ import annotations

import random

import torch

from transfer.encoded_rows.encoded import IGNORE, Rows
from transfer.loop.batch_plan import Batch

_MOST, _AT_ONCE = 4096, 256  # rows that are looked at
_SEED = 0  # the same rows each time


def label_sample(rows: Rows) -> torch.Tensor | None:
    """Labels of some rows, drawn at random; None of rows that have none, or a span as theirs.

    Every k-th row would not do: rows whose labels repeat after k rows would show one label.

    Returns:
        Numbers of labels `[labels]`, one per row or word; of scores floats `[rows, 1]`; of several
        labels per row floats of 1 and 0, `[rows, labels]`.
    """
    some = sorted(random.Random(_SEED).sample(range(len(rows)), min(len(rows), _MOST)))
    batches = []
    for start in range(0, len(some), _AT_ONCE):
        labels = rows.collate(Batch(0, tuple(some[start : start + _AT_ONCE]), 0)).get("labels")
        if labels is None:
            return None
        batches.append(labels if labels.is_floating_point() else labels[labels != IGNORE])
    return torch.cat(batches)
