"""Names for the tensors and functions that a training is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch

from transfer.loop.batch_plan import Batch

Tensors = dict[str, Any]
Objective = Callable[[Any, Tensors], torch.Tensor]  # (model, batch) -> loss, a scalar
Collate = Callable[[Batch], Tensors]
Cut = Callable[[Batch], list[Batch]]
Progress = Callable[[float, str], None]  # (fraction done, from 0 to 1; what is being done)
Summary = dict[str, float | int | str]  # what a stage prints of its result, by label
AfterStep = Callable[[int], bool | None]  # (steps done) -> True ends the training


@runtime_checkable
class Scoring(Protocol):
    """An `AfterStep` that measures something at some of the steps.

    Attributes:
        scores: what the last call measured, by name; empty where it measured nothing.
    """

    scores: Mapping[str, float]

    def __call__(self, step: int) -> bool | None:
        """After a step: True ends the training."""
        ...


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The batches of a training, and how each of them becomes tensors.

    Attributes:
        batches: in the order of training. An optimizer step takes `Settings.accumulate` of them,
            or one of them where there is a `cut`.
        collate: builds the tensors of a batch; everything random in it comes from `batch.seed`.
        cut: splits a batch into micro-batches, which are in memory one after the other and are
            shared by the processes of a training; None where batches are not split.
        rows: (number of batches) -> rows of the first ones, where batches are computed when they
            are asked for; None where the rows of each are counted.
    """

    batches: Sequence[Batch]
    collate: Collate
    cut: Cut | None = None
    rows: Callable[[int], int] | None = None
