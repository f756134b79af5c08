"""Trainings that learnt next to nothing, known by the loss of one answer for every row.

>>> little_learnt(2.155, [rows])["little was learnt"]
'the loss ended at 2.155, and one answer for every row has 2.144; give it more steps ...'

A model can stay where it gives every row the same answer (Mosbach et al. 2021), without any error.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from transfer.encoded_rows.encoded import Rows
from transfer.encoded_rows.masked_text import Masked
from transfer.loop.batch_plan import Batch
from transfer.loop.types import Summary

NEAR = 0.92  # of that loss; multilingual-e5-small at 0.94 had a rank correlation of 11
_MOST, _AT_ONCE = 4096, 256  # rows that are looked at


def constant_loss(rows: Rows) -> float | None:
    """Loss of the best answer that is the same for every row; None where a row has several labels.

    The entropy of the labels in nats, or the variance of the scores.
    """
    some = range(0, len(rows), -(-len(rows) // _MOST))
    labels = []
    for start in range(0, len(some), _AT_ONCE):
        found = rows.collate(Batch(0, tuple(some[start : start + _AT_ONCE]), 0)).get("labels")
        if found is None or found.ndim != 1:
            return None
        labels.append(found)
    every = torch.cat(labels)
    if every.is_floating_point():
        return float(every.double().var(correction=0))
    _, counts = torch.unique(every, return_counts=True)
    shares = counts / len(every)
    return float(-(shares * shares.log()).sum())


def near_one_answer(final_loss: float, parts: Sequence[Rows | Masked]) -> str | None:
    """What to say of a training that ended near that loss; None of others, and of several parts."""
    if len(parts) != 1 or isinstance(parts[0], Masked):
        return None
    constant = constant_loss(parts[0])
    if constant is None or final_loss < NEAR * constant:
        return None
    return f"the loss ended at {final_loss:.4g}, and one answer for every row has {constant:.4g}"


def little_learnt(final_loss: float, parts: Sequence[Rows | Masked]) -> Summary:
    """An entry of the summary on a training that ended near that loss; none of others."""
    if (said := near_one_answer(final_loss, parts)) is None:
        return {}
    advice = "give it more steps, restarts, a lower learning_rate or a longer warmup"
    return {"little was learnt": f"{said}; {advice}"}
