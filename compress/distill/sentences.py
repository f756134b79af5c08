"""A sentence and its translation are embedded as the teacher embeds the English one.

Reimers & Gurevych (2020, arXiv:2004.09813): the student's embedding of either side is pulled to
the teacher's of the English side by mean squared error. Embeddings are means over the tokens of the
last layer, as retrieval is scored, here of unit length, since retrieval compares angles; the error
is measured in the spread of the teacher's embeddings, so that a weight means the same in every
model: where all of a teacher's sentences lie in one narrow cone, 1 is still the loss of a student
that tells none of them apart.

A student of another width gets the teacher's embeddings turned into its own space, by the turn that
brings them nearest to where the student's lie before training (`turn`). It is fixed: a projection
that is trained too would be thrown away with part of what it learnt, and only behind it would
angles be right.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from transfer.objectives.sentences import pool


def embed_sides(student: Any, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Unit vectors of both sides of each pair, `[2 batch, tokens]` to `[2 batch, width]`."""
    hidden = student.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
    return pool(hidden, mask)


def sentence_loss(own: torch.Tensor, target: torch.Tensor, spread: float) -> torch.Tensor:
    """Squared distance of a student's embeddings from the teacher's.

    Args:
        own: unit vectors `[2 batch, width]`, English sides first.
        target: unit vectors of the English sides, `[batch, width]`.
        spread: mean squared distance of the teacher's embeddings from their mean.
    """
    wanted = torch.cat((target, target))
    return (own.float() - wanted).square().sum(-1).mean() / spread


def turn(teacher: np.ndarray, student: np.ndarray) -> np.ndarray:
    """The turn of one space into another of any width that brings embeddings nearest.

    Orthogonal Procrustes (Schönemann 1966): into fewer dimensions it also chooses which to keep.

    Args:
        teacher, student: of the same sentences, `[sentences, width]` each.

    Returns:
        `[teacher's width, student's width]`, columns or rows orthonormal, whichever are fewer.
    """
    left, _, right = np.linalg.svd(teacher.T @ student, full_matrices=False)
    return np.asarray(left @ right, dtype=np.float32)
