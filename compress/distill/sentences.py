"""A sentence and its translation are embedded as the teacher embeds the English one, or each.

Reimers & Gurevych (2020, arXiv:2004.09813): the student's embedding of either side is pulled to
the teacher's of the English side by mean squared error. Embeddings are means over the tokens of the
last layer, as retrieval is scored, here of unit length, since retrieval compares angles; the error
is measured in the spread of the teacher's embeddings, so that a weight means the same in every
model: where all of a teacher's sentences lie in one narrow cone, 1 is still the loss of a student
that tells none of them apart.

Of cut vectors (Matryoshka), not the numbers are matched but the cosines: the first numbers of the
student's vectors are to say how alike two sentences are as the teacher's whole vectors do. So a
teacher whose own vectors cannot be cut teaches a student whose vectors can.

By contrast, each sentence is to find its own teacher's vector, and the vector of its translation,
among those of the batch (InfoNCE, van den Oord et al. 2018). So the vectors of near sentences
differ, where a squared error is small when all are about right. The temperature is not in the
teacher's spread: in a narrow cone it would be so low that only the nearest sentence counts. Static
students that were trained so scored more than ten points lower on Tatoeba.

A student of another width gets the teacher's embeddings turned into its own space, by the turn that
brings them nearest to where the student's lie before training (`turn`). It is fixed: a projection
that is trained too would be thrown away with part of what it learnt, and only behind it would
angles be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from compress.distill.options import Options
from evalsuite.retrieval.sentences import Pooling
from transfer.objectives.sentences import in_batch, pool

_SAME = 0.05  # squared distance, in the spread, under which two targets are one sentence


def embed_sides(
    student: Any, ids: torch.Tensor, mask: torch.Tensor, pooling: Pooling
) -> torch.Tensor:
    """Unit vectors of all sides of each pair, `[sides, tokens]` to `[sides, width]`."""
    hidden = student.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
    return pool(hidden, mask, pooling)


def sentence_loss(own: torch.Tensor, target: torch.Tensor, spread: float) -> torch.Tensor:
    """Squared distance of a student's embeddings from the teacher's.

    Args:
        own: unit vectors `[sides, width]`; of pairs, the English sides first.
        target: unit vectors `[sides, width]`; or `[sides / 2, width]` of the English sides, which
            are then those of both.
        spread: mean squared distance of the teacher's embeddings from their mean.
    """
    wanted = target.repeat(len(own) // len(target), 1)
    return (own.float() - wanted).square().sum(-1).mean() / spread


def cosines_loss(
    own: torch.Tensor, target: torch.Tensor, dimensions: Sequence[int]
) -> torch.Tensor:
    """Squared error of the cosines of cut vectors, mean over dimensions; 0 without any.

    In the variance of the teacher's cosines, of each two different rows of the batch.

    Args:
        own, target: as in `sentence_loss`.
        dimensions: how many numbers of the student's vectors are kept.
    """
    if not dimensions or len(own) < 3:  # two rows have one cosine, which does not vary
        return own.new_zeros(())
    wanted = target.repeat(len(own) // len(target), 1)
    others = ~torch.eye(len(own), dtype=torch.bool, device=own.device)
    right = (wanted @ wanted.T)[others]
    errors = []
    for size in dimensions:
        cut = torch.nn.functional.normalize(own[:, :size].float(), dim=-1)
        errors.append(((cut @ cut.T)[others] - right).square().mean())
    return torch.stack(errors).mean() / right.var().clamp(min=1e-6)


def contrast_loss(
    own: torch.Tensor, target: torch.Tensor, spread: float, sides: int, temperature: float
) -> torch.Tensor:
    """Cross-entropy of finding what belongs to each sentence among the batch's, a scalar.

    The mean over sides and directions: of each side the teacher's vectors of the same side; of
    pairs also the translations, both ways. Sentences that are equal to the teacher are no negatives
    of each other.

    Args:
        own, target, spread: as in `sentence_loss`.
        sides: 2 for pairs, whose English sides come first, or 1.
        temperature: divides cosines.
    """
    mine = own.float().chunk(sides)
    theirs = target.repeat(len(own) // len(target), 1).chunk(sides)
    alike = [2 - 2 * side @ side.T < _SAME * spread for side in theirs]
    losses = [
        in_batch(side, wanted, same, temperature)
        for side, wanted, same in zip(mine, theirs, alike, strict=True)
    ]
    if sides == 2:
        same = alike[0] | alike[1]
        one, other = mine
        losses += [
            in_batch(one, other, same, temperature),
            in_batch(other, one, same.T, temperature),
        ]
    return torch.stack(losses).mean()


def vectors_loss(
    own: torch.Tensor, target: torch.Tensor, spread: float, options: Options
) -> torch.Tensor:
    """The weighted sum of the terms of sentence embeddings, a scalar, in fp32."""
    vectors = options.vectors
    with torch.autocast(own.device.type, enabled=False):
        own, target = own.float(), target.float()
        distance = sentence_loss(own, target, spread) + cosines_loss(
            own, target, vectors.dimensions
        )
        total = options.sentences * distance
        if options.contrast > 0:
            sides = 1 if options.text else 2
            found = contrast_loss(own, target, spread, sides, vectors.temperature)
            total = total + options.contrast * found
    return total


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
