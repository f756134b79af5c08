"""Which layers a model can be without, found by leaving them out one after the other.

>>> greedy_layers(model, 6, batches)
[0, 2, 4, 6, 9, 11]

Of the layers that are left, the one is removed whose absence changes the model's last states least;
then again, until as many are left as are wanted. A removed layer passes its input on. The change is
measured on text, as the squared distance of the mean-pooled, unit-length last states (`pool`) from
those of the whole model, plus that of each token's states, each divided by the variance in the
whole model.
Neither labels nor gradients are needed. Similar: greedy layer pruning (Peer et al. 2022, by the
score on a task), and block influence (Men et al. 2024, of all layers at once).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from compress.errors import StudentError
from evalsuite.find_family import family_of
from transfer.loop.types import Tensors
from transfer.objectives.sentences import pool


def greedy_layers(
    model: Any,
    keep: int,
    batches: Iterable[Tensors],
    *,
    keep_first: bool = False,
    progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> list[int]:
    """The layers to keep, counted from 0, in rising order.

    Args:
        model: a transformers model with or without a head; it is left as it is.
        keep: how many layers to keep, from 1 to all of them.
        batches: `input_ids` and `attention_mask`, `[rows, tokens]` each (of a model of choices
            `[rows, choices, tokens]`).
        keep_first: never remove the first layer.

    Raises:
        StudentError: there is no text.
    """
    layers = list(family_of(model).layers(model))
    left = list(range(len(layers)))
    if keep >= len(left):
        return left
    texts = [{name: t.to(model.device).flatten(0, -2) for name, t in b.items()} for b in batches]
    if not texts:
        raise StudentError("layer_choice: greedy needs text to compare layers on; there is none")
    was_training = model.training
    model.eval()
    whole = [_states(model, text) for text in texts]
    scales = _variances(whole)
    count = len(left) - keep
    for round_ in range(count):
        progress(round_ / count, f"comparing layers, {len(left)} left")
        removable = left[1:] if keep_first else left
        changes = []
        for layer in removable:
            with _without(layers, [n for n in range(len(layers)) if n not in left or n == layer]):
                changes.append(_change(model, texts, whole, scales))
        left.remove(removable[min(range(len(changes)), key=changes.__getitem__)])
    model.train(was_training)
    return left


@contextmanager
def _without(layers: Sequence[nn.Module], absent: Sequence[int]) -> Iterator[None]:
    """Layers that pass their input on."""
    hooks = [layers[number].register_forward_hook(_pass_on, with_kwargs=True) for number in absent]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _pass_on(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
    """A layer's input in the form of its output."""
    given = args[0] if args else kwargs["hidden_states"]
    return (given, *output[1:]) if isinstance(output, tuple) else given


@torch.no_grad()
def _states(model: Any, text: Tensors) -> tuple[torch.Tensor, torch.Tensor]:
    """Pooled vectors `[rows, width]`, and the states of real tokens `[tokens, width]`."""
    hidden = model.base_model(**text).last_hidden_state.float()
    mask = text["attention_mask"]
    return pool(hidden, mask), hidden[mask.bool()]


def _variances(states: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> list[float]:
    """Mean squared distance from the mean, of pooled vectors and of tokens."""
    joined = (torch.cat(kind) for kind in zip(*states, strict=True))
    return [max(float(x.var(0, correction=0).sum()), 1e-12) for x in joined]


def _change(
    model: Any,
    texts: Sequence[Tensors],
    whole: Sequence[tuple[torch.Tensor, torch.Tensor]],
    scales: Sequence[float],
) -> float:
    """How far the states are from those of the whole model, 0 for the same."""
    totals, rows = [0.0, 0.0], [0, 0]
    for text, right in zip(texts, whole, strict=True):
        for kind, (found, wanted) in enumerate(zip(_states(model, text), right, strict=True)):
            totals[kind] += float((found - wanted).square().sum())
            rows[kind] += len(found)
    return sum(t / n / s for t, n, s in zip(totals, rows, scales, strict=True))
