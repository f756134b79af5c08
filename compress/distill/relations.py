"""Match how tokens relate to one another inside attention: queries, keys and values of one layer.

MiniLMv2 (Wang et al. 2021, "Multi-Head Self-Attention Relation Distillation"): scaled products of
queries with queries, keys with keys and values with values, as distributions over tokens. They are
cut into as many relation heads in the student as in the teacher, whatever their widths and heads,
so a student may be narrower than its teacher.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from compress.distill.rules import relation_problem
from compress.errors import StudentError
from evalsuite.family_parts import PARTS
from evalsuite.find_family import family_of


def relation_loss(
    student: Sequence[torch.Tensor],
    teacher: Sequence[torch.Tensor],
    mask: torch.Tensor,
    heads: int,
) -> torch.Tensor:
    """Kullback-Leibler divergence of the student's relations from the teacher's.

    Args:
        student, teacher: queries, keys, values, `[batch, tokens, width]` each, of either width.
        mask: `[batch, tokens]`, 1 on real tokens.
        heads: relation heads; divides both widths.

    Returns:
        the mean over real tokens, heads, and the three kinds.
    """
    real = mask.bool()
    weight = real[:, None, :].expand(-1, heads, -1)
    total = torch.zeros((), device=mask.device)
    for own, target in zip(student, teacher, strict=True):
        with torch.no_grad():
            wanted = _relations(target, real, heads)
        found = _relations(own, real, heads)
        divergence = (wanted.exp() * (wanted - found)).masked_fill(~real[:, None, None, :], 0.0)
        total = total + divergence.sum(-1)[weight].mean()
    return total / len(student)


def _relations(vectors: torch.Tensor, real: torch.Tensor, heads: int) -> torch.Tensor:
    """`[batch, heads, tokens, tokens]` log-probabilities over real tokens."""
    batch, tokens, width = vectors.shape
    split = vectors.float().view(batch, tokens, heads, width // heads).transpose(1, 2)
    scores = split @ split.transpose(-1, -2) / math.sqrt(width // heads)
    least = torch.finfo(scores.dtype).min
    return nn.functional.log_softmax(scores.masked_fill(~real[:, None, None, :], least), -1)


def relation_heads(wanted: int | None, teacher: Any, student: Any) -> int:
    """How many to cut into; by default the teacher's heads, else the student's.

    Raises:
        StudentError: the number does not divide both widths.
    """
    widths = teacher.hidden_size, student.hidden_size
    for heads in (
        (wanted,) if wanted else (teacher.num_attention_heads, student.num_attention_heads)
    ):
        if all(width % heads == 0 for width in widths):
            return int(heads)
    raise StudentError(
        f"relation_heads: {wanted or 'neither model has a number of heads that'} "
        f"{'does not divide' if wanted else 'divides'} both widths, {widths[0]} and {widths[1]}; "
        f"try {math.gcd(*widths)} or a divisor of it"
    )


def teacher_layer(wanted: int | None, layers: int) -> int:
    """Which of the teacher's layers is matched, 0 the lowest.

    By default the last one, of more than twelve an upper middle one (the paper's nineteenth of
    XLM-R large's 24).

    Raises:
        StudentError: there is no such layer.
    """
    if wanted is None:
        return layers - 1 if layers <= 12 else round(0.8 * layers) - 1
    if problems := relation_problem(wanted, layers):
        raise StudentError(problems[0])
    return wanted


@contextmanager
def attended(model: Any, layer: int) -> Iterator[list[torch.Tensor]]:
    """Collects queries, keys and values of a layer, in this order, while the model runs.

    They are what the projections give: rotary positions are not in them.

    >>> with attended(model, 5) as found:
    ...     model(**batch)
    >>> [tensor.shape for tensor in found]
    """
    family = family_of(model)
    chosen = family.layers(model)[layer]
    found: list[torch.Tensor] = []
    waiting: set[str] = set()  # parts of this forward that have not come by

    def start(module: nn.Module, args: Any) -> None:
        waiting.update(PARTS)

    def collect(module: nn.Module, args: Any, output: torch.Tensor) -> None:
        for name, rows in family.projections(chosen).items():
            if rows.linear is module and name in waiting:  # it may project positions after that
                waiting.remove(name)
                found.append(output[..., rows.start : rows.stop])

    linears = {rows.linear for rows in family.projections(chosen).values()}
    hooks: list[Any] = [chosen.register_forward_pre_hook(start)]
    hooks += [linear.register_forward_hook(collect) for linear in linears]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()
