"""A new head for scores begins with the mean score of its rows.

>>> begin_at_mean(model, [rows])
>>> model.classifier.bias
Parameter containing:
tensor([2.7012], requires_grad=True)

A head that begins at 0 moves to the mean first. With small steps of the optimizer it does so by
what all texts have in common, and the differences between texts can be lost on the way: of three
trainings of multilingual-e5-small on STS-B, two then gave every pair nearly the same score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from evalsuite.inference.task_head import answers_of_task
from evalsuite.task import Task
from transfer.encoded_rows.encoded import Rows
from transfer.encoded_rows.label_sample import label_sample
from transfer.models.label_rows import output_layer


def begin_at_mean(model: Any, task: Task, rows: Sequence[Rows]) -> None:
    """Put the mean score in the bias of a head's last layer; nothing for heads of labels.

    Args:
        model: of transformers, with a head that is new, or such a head alone.
        rows: of the task, perhaps in several sets.
    """
    if answers_of_task(task) != "score":
        return
    if scores := [found for each in rows if (found := label_sample(each)) is not None]:
        begin_at(model, float(torch.cat(scores).mean()))


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
