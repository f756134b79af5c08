"""Losses that hold when word embeddings move a little, as they do from one language to another.

Huang et al. (2021, arXiv:2104.08645): a word and its translation lie near each other and not at one
point, so a model trained on English alone is made to answer alike around each point. Two of the
paper's three ways are here: adversarial training, and randomized smoothing by random perturbation.
(The third replaces words by others like them; `code_switch` does so by translations.)

Radii are shares of the mean length of the batch's own embeddings, so that they mean the same in
models of any scale; the paper's are absolute. Word embeddings are moved before position and layer
norm, as in FreeLB (Zhu et al. 2020).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from transfer.loop.types import Objective, Tensors


@dataclass(frozen=True, slots=True)
class Robust:
    """How far embeddings are moved; 0 turns it off.

    Attributes:
        adversarial: radius in which the direction that hurts most is looked for.
        steps: gradient steps of the search; each costs a pass forward and backward.
        noise: standard deviation of what is added at random, of a token's whole vector.
    """

    adversarial: float = 0.0
    steps: int = 1
    noise: float = 0.0


def robust(objective: Objective, how: Robust) -> Objective:
    """The same objective, around the embeddings and not only at them."""
    if how.noise > 0:
        objective = _smoothed(objective, how.noise)
    if how.adversarial > 0:
        objective = _adversarial(objective, how.adversarial, how.steps)
    return objective


def _smoothed(objective: Objective, noise: float) -> Objective:
    def loss(model: Any, batch: Tensors) -> torch.Tensor:
        def move(place: int, found: torch.Tensor) -> torch.Tensor:
            scale = noise * _length(found) / found.shape[-1] ** 0.5
            moved: torch.Tensor = found + scale * torch.randn_like(found)
            return moved

        with _moved(model, move):
            return objective(model, batch)

    return loss


def _adversarial(objective: Objective, radius: float, steps: int) -> Objective:
    """Half the loss at the embeddings, half that at the worst point found near them.

    Steps go along the gradient's direction, token by token, and end inside the ball (projected
    gradient descent, Madry et al. 2018; with one step Miyato et al. 2017).
    """

    def loss(model: Any, batch: Tensors) -> torch.Tensor:
        shifts: list[torch.Tensor] = []  # one a sequence tensor the objective reads
        radii: list[torch.Tensor] = []

        def begin(place: int, found: torch.Tensor) -> torch.Tensor:
            shifts.append(torch.zeros_like(found, requires_grad=True))
            radii.append(radius * _length(found))
            return found + shifts[-1]

        def again(place: int, found: torch.Tensor) -> torch.Tensor:
            return found + shifts[place]

        with _moved(model, begin):
            clean = found = objective(model, batch)
        for step in range(steps):
            slopes = torch.autograd.grad(found, shifts, retain_graph=step == 0)
            for place, (slope, size) in enumerate(zip(slopes, radii, strict=True)):
                ahead = shifts[place].detach() + size * _unit(slope)
                shifts[place] = _within(ahead, size).requires_grad_(step < steps - 1)
            with _moved(model, again):
                found = objective(model, batch)
        return (clean + found) / 2

    return loss


@contextmanager
def _moved(model: Any, move: Any) -> Iterator[None]:
    """Word embeddings pass through `move(how many passed before, embeddings)`."""
    count = 0

    def hook(module: Any, args: Any, output: torch.Tensor) -> torch.Tensor:
        nonlocal count
        count += 1
        moved: torch.Tensor = move(count - 1, output)
        return moved

    handle = model.get_input_embeddings().register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def _length(vectors: torch.Tensor) -> torch.Tensor:
    """Mean length of `[..., width]` vectors."""
    found: torch.Tensor = torch.linalg.vector_norm(vectors.detach(), dim=-1).mean()
    return found


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    """Each of length 1; those of padding, which have none, stay 0."""
    return vectors / _lengths(vectors)


def _within(vectors: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
    return vectors * (radius / _lengths(vectors)).clamp(max=1)


def _lengths(vectors: torch.Tensor) -> torch.Tensor:
    """`[..., 1]`, never 0."""
    found: torch.Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True).clamp(min=1e-12)
    return found
