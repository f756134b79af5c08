"""A head for scores learns them in units of their spread, a new one from their mean on.

>>> begin_in_units(model, task, [rows])   # scores from 0 to 100: 61 plus or minus 28
>>> fit(model, ...)
>>> fold_units(model)                     # the same answers, by plain weights
>>> model.classifier.bias
Parameter containing:
tensor([61.4120], requires_grad=True)

A head that begins at 0 moves to the mean first. With small steps of the optimizer it does so by
what all texts have in common, and the differences between texts can be lost on the way: of three
trainings of multilingual-e5-small on STS-B, two then gave every pair nearly the same score. And
steps that fit scores from 0 to 5 are too small for scores from 0 to 100. So what the last layer
gives is multiplied by the scores' standard deviation, and their mean is added. A head that was
trained on other scores gives what it gave before, in these units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from evalsuite.inference.task_head import answers_of_task
from evalsuite.task import Task
from transfer.encoded_rows.encoded import Rows
from transfer.encoded_rows.label_sample import label_sample
from transfer.errors import MethodError
from transfer.models.label_rows import output_layer


@dataclass(frozen=True, slots=True)
class _Units:
    """Puts what a layer gives in the unit of the scores; a hook, which copies of the layer have.

    The layer's gradient is the one of a loss in units of the spread too, so that clipping and the
    losses of other tasks compare with it whatever the scores' unit is.
    """

    mean: float
    spread: float

    def __call__(self, layer: nn.Module, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        units = output.float()  # in bf16 years from 1990 to 2010 would be 1992, 2000 or 2008
        moved = units / self.spread  # what the gradient sees
        return (units * self.spread + self.mean).detach() + (moved - moved.detach())


def begin_in_units(
    model: Any, task: Task, rows: Sequence[Rows], *, carried_over: bool = False
) -> None:
    """Have a head learn in units of the scores' spread; a new one gives their mean at first.

    Nothing for heads of labels. `fold_units` puts both into the weights.

    Args:
        model: of transformers with a head, or a head alone.
        rows: of the task, perhaps in several sets.
        carried_over: the head is trained already, and its answers stay.
    """
    if answers_of_task(task) != "score":
        return
    scores = [found for each in rows if (found := label_sample(each)) is not None]
    if scores:
        in_units_of(torch.cat(scores), model, carried_over=carried_over)


def in_units_of(scores: torch.Tensor, model: Any, *, carried_over: bool = False) -> None:
    """As `begin_in_units`, from scores of any shape.

    Nothing where the last layer has no bias, or was trained already and is not in fp32.

    Raises:
        MethodError: the layer is in bf16, which cannot tell such scores apart.
    """
    _, layer = output_layer(model)
    if layer.bias is None or (carried_over and layer.weight.dtype != torch.float32):
        return
    mean, spread = float(scores.double().mean()), float(scores.double().std(correction=0)) or 1.0
    if layer.bias.dtype == torch.bfloat16:
        _require_told_apart(mean, spread)
    if carried_over:
        with torch.no_grad():
            layer.weight.div_(spread)
            layer.bias.sub_(mean).div_(spread)
    else:
        begin_at(model, 0.0)
    layer.register_forward_hook(_Units(mean, spread))


def _require_told_apart(mean: float, spread: float) -> None:
    """Raise MethodError where numbers in bf16 are too far apart for the scores."""
    most = abs(mean) + 2 * spread
    step = 2.0 ** (math.floor(math.log2(most)) - 7)
    if step > spread / 8:
        raise MethodError(
            f"scores of {mean:g} plus or minus {spread:g} in bf16, which has steps of {step:g} "
            "there; set precision: fp32"
        )


def fold_units(model: nn.Module) -> None:
    """Put the units into the weights of the layers, so that these give the same without them."""
    for layer in model.modules():
        for number, hook in list(layer._forward_hooks.items()):
            if not isinstance(hook, _Units):
                continue
            del layer._forward_hooks[number]
            assert isinstance(layer, nn.Linear)
            if layer.weight.is_floating_point():  # else a trained copy has taken its place
                with torch.no_grad():
                    layer.weight.mul_(hook.spread)
                    layer.bias.mul_(hook.spread).add_(hook.mean)


def begin_at(model: Any, score: float) -> None:
    """Put a score in the bias of a head's last layer, where it has one."""
    _, layer = output_layer(model)
    if layer.bias is not None:
        with torch.no_grad():
            layer.bias.fill_(score)


def begin_as(model: Any, other: Any) -> None:
    """Take over the bias of another model's last layer, where both have one as large."""
    own, theirs = (output_layer(each)[1].bias for each in (model, other))
    if own is not None and theirs is not None and own.shape == theirs.shape:
        with torch.no_grad():
            own.copy_(theirs)
