"""Importance of each layer, attention head and feed-forward unit.

>>> found = measure(model, batches, seed=1)
>>> found.units.shape, found.heads.shape, found.influence
(torch.Size([2, 128]), torch.Size([2, 2]), [0.31, 0.04])

Heads and units carry a gate of 1 each, and the importance of a gate is the mean over sequences of
the squared gradient of an answer's log-likelihood with respect to it, the first-order estimate of
Michel et al. (2019) for heads and, squared, of Molchanov et al. (2019) for units: gradient times
activation, summed over a sequence's tokens. Where a row has a label that is the answer. Text
without labels, the languages that have none, is answered by the model itself, an answer drawn from
its own probabilities; the divergence of a model from its own outputs has no gradient where nothing
is gated yet, but half this mean square is its second-order term, the Fisher information (Theis et
al. 2018; Kwon et al. 2022). Unlike Michel et al. we do not scale by layer: units are compared
within their layer alone. An encoder without a head is asked for its mean-pooled, unit-length last
states, along a random direction of signs.

Layers by block influence, 1 minus the mean cosine of the states a layer takes and gives (Men et al.
2024, ShortGPT).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from compress.distill.student_batch import GOLD
from evalsuite.find_family import family_of
from evalsuite.inference.checkpoint_config import Answers, answers_of
from evalsuite.runtimes.torch import logits_of
from transfer.encoded_rows.encoded import IGNORE
from transfer.objectives.spans import over_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transfer.loop.types import Tensors


@dataclass(frozen=True, slots=True)
class Importance:
    """What was measured.

    Attributes:
        units: `[layers, units]`.
        heads: `[layers, heads]`.
        influence: block influence of each layer, 0 for one that changes no direction.
    """

    units: torch.Tensor
    heads: torch.Tensor
    influence: list[float]


def measure(model: Any, batches: Iterable[Tensors], seed: int) -> Importance:
    """Run the batches through the model, gradients of its gates alone; its weights stay.

    Args:
        batches: `input_ids`, `attention_mask` and, where they are known, a task's labels.
        seed: of the answers that are drawn.
    """
    generator = torch.Generator().manual_seed(seed)
    answers = answers_of(model.config.to_dict())
    was_training = model.training
    model.eval()
    totals: list[torch.Tensor] = []
    influence = torch.zeros(())  # summed over real tokens
    rows = tokens = 0
    with _gated(model) as gates:
        for batch in batches:
            inputs = {name: t.to(model.device) for name, t in batch.items() if name not in GOLD}
            gold = _answers({name: batch[name] for name in GOLD if name in batch})
            output = model(**inputs, output_hidden_states=True)
            asked = surprise(output, inputs["attention_mask"], gold, generator, answers)
            gradients = torch.autograd.grad(asked.sum(), gates)
            count = len(asked)  # a row of choices is several sequences under one gate
            squares = [
                g.flatten(1).reshape(count, -1, g[0].numel()).sum(1).square().sum(0)
                for g in gradients
            ]
            if totals:
                squares = [a + b for a, b in zip(totals, squares, strict=True)]
            totals = squares
            mask = inputs["attention_mask"].flatten(0, -2)
            real = int(mask.sum())
            states = [s.detach() for s in output.hidden_states]
            influence = influence + block_influence(states, mask).cpu() * real
            rows, tokens = rows + count, tokens + real
            gates.clear()
    model.train(was_training)
    means = [total / rows for total in totals]
    return Importance(
        units=torch.stack(means[1::2]).cpu(),
        heads=torch.stack(means[::2]).cpu(),
        influence=(influence / tokens).tolist(),
    )


@contextmanager
def _gated(model: Any) -> Iterator[list[torch.Tensor]]:
    """Gates of ones on all heads and units; the list fills with each forward, a layer's heads
    before its units."""
    gates: list[torch.Tensor] = []
    family = family_of(model)
    size = family.head_size(model.config)

    def gate(like: torch.Tensor, *shape: int) -> torch.Tensor:
        gates.append(torch.ones(shape, device=like.device, requires_grad=True))
        return gates[-1]

    def heads(module: nn.Module, args: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        states = args[0].reshape(*args[0].shape[:-1], -1, size)
        return ((states * gate(states, len(states), 1, states.shape[2], 1)).flatten(2),)

    def units(module: nn.Module, args: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        return (args[0] * gate(args[0], len(args[0]), 1, args[0].shape[-1]),)

    hooks: list[Any] = []
    try:
        for layer in family.layers(model):
            hooks.append(family.attention_output(layer).register_forward_pre_hook(heads))
            hooks.append(family.feed_forward(layer).outward.register_forward_pre_hook(units))
        yield gates
    finally:
        for hook in hooks:
            hook.remove()


def _answers(gold: Tensors) -> torch.Tensor | None:
    """Labels of rows or tokens; first and last token of a span, `[rows, 2]`."""
    if "start_positions" in gold:
        return torch.stack((gold["start_positions"], gold["end_positions"]), 1)
    return gold.get("labels")


def surprise(
    output: Any,
    mask: torch.Tensor,
    gold: torch.Tensor | None,
    generator: torch.Generator,
    answers: Answers = "label",
) -> torch.Tensor:
    """Minus the log-likelihood of an answer per row: the gold one, or one drawn from the output.

    The mean over a row's tokens for a tagger, over the two ends for spans; for an encoder the
    pooled states along a random direction. A score is the mean of a normal distribution of variance
    1; of labels that do not exclude each other all are answered, and their likelihoods multiplied.

    Args:
        mask: `[rows, tokens]`, or `[rows, choices, tokens]`.
        gold: labels of rows or tokens, the two ends of a span, `[rows, 2]`, or scores,
            `[rows, 1]`; None: draw.
        answers: what the model's head gives per row.

    Returns:
        `[rows]`.
    """
    if "start_logits" not in output and "logits" not in output:
        return _along_random_direction(output.last_hidden_state, mask, generator)
    if answers != "label":
        return _by_itself(logits_of(output).float(), gold, generator, answers)
    scores, counted = _answered(output, mask)
    if gold is None:
        said = _drawn(scores, counted.shape, generator)
    else:
        said = gold.to(scores.device)
        counted = counted * (said != IGNORE)
    flat = nn.functional.cross_entropy(
        scores.flatten(0, -2), said.clamp(min=0).flatten(), reduction="none"
    )
    losses = (flat.view(counted.shape) * counted).flatten(1 if counted.dim() > 1 else 0)
    if losses.dim() == 1:
        return losses
    return losses.sum(-1) / counted.sum(-1).clamp(min=1)


def _by_itself(
    scores: torch.Tensor, gold: torch.Tensor | None, generator: torch.Generator, answers: Answers
) -> torch.Tensor:
    """Of `[rows, labels]` scores, or logits of labels that do not exclude each other, `[rows]`."""
    own = scores.detach().cpu()
    if answers == "score":
        said = own + torch.randn(own.shape, generator=generator) if gold is None else gold
        return (scores - said.to(scores.device)).square().sum(-1) / 2
    said = torch.bernoulli(own.sigmoid(), generator=generator) if gold is None else gold
    crossed = nn.functional.binary_cross_entropy_with_logits
    return crossed(scores, said.to(scores.device), reduction="none").sum(-1)


def _along_random_direction(
    states: torch.Tensor, mask: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Mean-pooled, unit-length states `[rows, tokens, width]` along random signs, `[rows]`."""
    weight = mask.unsqueeze(-1).to(states.dtype)
    pooled = (states * weight).sum(1) / weight.sum(1).clamp(min=1)
    pooled = nn.functional.normalize(pooled, dim=-1)
    signs = torch.randint(0, 2, pooled.shape, generator=generator).to(pooled)
    return (pooled * (2 * signs - 1)).sum(-1)


def _answered(output: Any, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits with one answer per row, token or end of a span; and 1 for each answer that counts."""
    scores = logits_of(output).float()
    if "start_logits" in output:
        return over_tokens(scores, mask), torch.ones_like(mask[:, :2])
    if scores.dim() == 3:
        return scores, mask
    return scores, torch.ones_like(mask.flatten(1)[:, 0])


def _drawn(scores: torch.Tensor, shape: torch.Size, generator: torch.Generator) -> torch.Tensor:
    """Answers drawn from the model's own probabilities."""
    chances = scores.detach().softmax(-1).flatten(0, -2).cpu()
    drawn = torch.multinomial(chances, 1, generator=generator)
    return drawn.view(shape).to(scores.device)


def block_influence(states: Sequence[torch.Tensor], mask: torch.Tensor) -> torch.Tensor:
    """1 minus the mean cosine of a layer's input and output over real tokens, a layer.

    >>> block_influence([x, 3 * x, -x], mask)
    tensor([0., 2.])
    """
    weight = mask.to(states[0].dtype)
    found = [
        1 - (nn.functional.cosine_similarity(a, b, dim=-1) * weight).sum() / weight.sum()
        for a, b in pairwise(states)
    ]
    return torch.stack(found)


def strongest(importance: torch.Tensor, keep: int) -> list[list[int]]:
    """Of each layer, the `keep` most important in rising order.

    >>> strongest(torch.tensor([[0.2, 0.9, 0.5]]), 2)
    [[1, 2]]
    """
    kept: list[list[int]] = importance.topk(keep, dim=-1).indices.sort(-1).values.tolist()
    return kept


def least_similar(influence: Sequence[float], keep: int, first: Collection[int] = ()) -> list[int]:
    """The layers that change their input most, in their order; those in `first` ahead of others.

    >>> least_similar([0.5, 0.1, 0.3], 2)
    [0, 2]
    >>> least_similar([0.5, 0.1, 0.3], 2, first=[1])
    [0, 1]
    """
    order = sorted(range(len(influence)), key=lambda layer: (layer not in first, -influence[layer]))
    return sorted(order[:keep])
