"""The rows of a head's last layer, one per label: put in another order, or made new.

>>> put_in_order(model, ("entailment", "neutral", "contradiction"))
>>> model.config.id2label
{0: 'entailment', 1: 'neutral', 2: 'contradiction'}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from evalsuite.errors import ModelError
from evalsuite.inference.label_order import places
from evalsuite.task import CHOICE, SPAN_ENDS


def output_layer(model: Any) -> tuple[str, nn.Linear]:
    """Name and module of the layer that gives the logits.

    Raises:
        ModelError: the head has no linear layer with a row per label.
    """
    encoder = f"{model.base_model_prefix}."
    found = [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
        and not name.startswith(encoder)
        and module.out_features == model.config.num_labels
    ]
    if not found:
        raise ModelError(
            f"{type(model).__name__} has no linear layer with a row for each of its "
            f"{model.config.num_labels} labels, so its labels cannot be put in another order"
        )
    return found[-1]


def put_in_order(model: Any, labels: Sequence[str]) -> bool:
    """Turn a model's rows, in place, so that its labels are in this order.

    False where they were, and for models of spans and of choices, which have one order.

    Args:
        model: of transformers, with a head for the same labels; an encoder where there are none.
    """
    if not labels or tuple(labels) in (SPAN_ENDS, CHOICE):
        return False
    table = model.config.id2label
    own = [table[number] for number in sorted(table)]
    if own == list(labels):
        return False
    move_rows(model, places(labels, own))
    model.config.id2label = dict(enumerate(labels))
    model.config.label2id = {label: number for number, label in enumerate(labels)}
    return True


def move_rows(model: Any, order: Sequence[int]) -> None:
    """Row `order[k]` of the last layer becomes row k."""
    _, layer = output_layer(model)
    with torch.no_grad():
        layer.weight.copy_(layer.weight[list(order)].clone())
        if layer.bias is not None:
            layer.bias.copy_(layer.bias[list(order)].clone())


def renew(model: Any) -> None:
    """New random rows, as transformers begins a head with."""
    _, layer = output_layer(model)
    nn.init.normal_(layer.weight, std=getattr(model.config, "initializer_range", 0.02))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
