"""Trainings that learnt next to nothing, known by the loss of one answer for every row.

>>> little_learnt(2.155, [rows])["little was learnt"]
'the loss ended at 2.155, and one answer for every row has 2.144; give it more steps ...'

A model can stay where it gives every row the same answer (Mosbach et al. 2021), without any error.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from transfer.encoded_rows.encoded import Rows
from transfer.encoded_rows.label_sample import label_sample
from transfer.encoded_rows.masked_text import Masked
from transfer.loop.types import Summary

NEAR = 0.92  # of that loss; multilingual-e5-small at 0.94 had a rank correlation of 11
_NOTHING = 1e-9  # a loss below it: all rows have the same label or score


def constant_loss(rows: Rows) -> float | None:
    """Loss of the best answer that is the same for every row; None where it is not known.

    The entropy in nats of the labels, of rows or of words; the mean entropy of several labels per
    row; the variance of scores.
    """
    labels = label_sample(rows)
    if labels is None or not len(labels):
        return None
    if not labels.is_floating_point():
        _, counts = torch.unique(labels, return_counts=True)
        shares = counts / len(labels)
        return float(torch.special.entr(shares).sum())
    if labels.shape[-1] > 1:
        ones = labels.mean(0)
        return float((torch.special.entr(ones) + torch.special.entr(1 - ones)).mean())
    return float(labels.double().var(correction=0))


def near_one_answer(final_loss: float, parts: Sequence[Rows | Masked]) -> str | None:
    """What to say of a training that ended near that loss; None of others, and of several parts.

    None too where all rows have one label or score, so that one answer is all there is to learn.
    """
    if len(parts) != 1 or isinstance(parts[0], Masked):
        return None
    constant = constant_loss(parts[0])
    if constant is None or constant < _NOTHING or final_loss < NEAR * constant:
        return None
    return f"the loss ended at {final_loss:.4g}, and one answer for every row has {constant:.4g}"


def little_learnt(final_loss: float, parts: Sequence[Rows | Masked]) -> Summary:
    """An entry of the summary on a training that ended near that loss; none of others."""
    if (said := near_one_answer(final_loss, parts)) is None:
        return {}
    advice = "give it more steps, restarts, a lower learning_rate or a longer warmup"
    return {"little was learnt": f"{said}; {advice}"}
