"""transformers.Trainer over a plan of optimizer steps, each of one or more micro-batches.

The loss of a step is the weighted sum of the losses of its micro-batches. The weights are computed
here and not by the Trainer, whose own accumulation expects equally many batches in every step.
Several processes share a step: each takes every n-th of its micro-batches, and the gradients are
added up over all of them (DistributedDataParallel).
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, Dataset
from transformers import Trainer

from transfer.loop.batch_plan import items
from transfer.loop.types import Objective, Tensors, TrainingData


@dataclass(frozen=True, slots=True)
class Micro:
    """One forward and backward pass.

    Attributes:
        tensors: of the micro-batch.
        weight: its share of the step's loss.
        seed: of what the model draws at random (dropout); None goes on with the random state.
    """

    tensors: Tensors
    weight: float
    seed: int | None


class Steps(Dataset[list[Micro]]):
    """One item per optimizer step: the micro-batches that this process computes.

    With `data.cut` a step is one batch, cut into micro-batches. Each weighs as much as it has items
    (labels or rows), so that the step's loss is that of the whole batch, and each has its own seed,
    so that the number of processes changes nothing. Without `data.cut` a step is `accumulate`
    batches with equal weights.

    Args:
        data: the batches, and how they become tensors.
        accumulate: batches per step where `data` has no `cut`.
        rank: of this process, from 0.
        world: number of processes.
    """

    def __init__(self, data: TrainingData, accumulate: int, rank: int, world: int) -> None:
        size = 1 if data.cut else accumulate
        self.batches, self.size, self.rows = data.batches, size, data.rows
        # Batches that do not fill the last step are left out, unless it is the only one.
        self.count = max(len(data.batches) // size, min(1, len(data.batches)))
        self.collate, self.cut, self.rank, self.world = data.collate, data.cut, rank, world

    def __len__(self) -> int:
        return self.count

    def examples(self, steps: int) -> int:
        """Number of rows in the first `steps` steps."""
        count = min(min(steps, self.count) * self.size, len(self.batches))
        if self.rows is not None:
            return self.rows(count)
        return sum(len(batch.indices) for batch in self.batches[:count])

    def __getitem__(self, index: int) -> list[Micro]:
        if not 0 <= index < self.count:
            raise IndexError(index)
        step = self.batches[index * self.size : (index + 1) * self.size]
        if self.cut is None:
            return [Micro(self.collate(batch), 1 / len(step), None) for batch in step]
        batches = self.cut(step[0])
        # Every process counts the items of all micro-batches; it computes only its share of them.
        tensors = [self.collate(batch) for batch in batches]
        counts = [items(batch) for batch in tensors]
        total = max(1, sum(counts))
        micros = [
            Micro(inputs, self.world * count / total, batch.seed)
            for inputs, count, batch in zip(tensors, counts, batches, strict=True)
        ]
        # A process without a micro-batch takes part in the sum of gradients with weight 0.
        return micros[self.rank :: self.world] or [Micro(tensors[0], 0.0, batches[0].seed)]


class _Whole(nn.Module):
    """A model and its objective as one module.

    DistributedDataParallel gathers the gradients of what the wrapped module's `forward` computes,
    and of nothing else.
    """

    def __init__(self, model: Any, objective: Objective) -> None:
        super().__init__()
        self.model, self.objective = model, objective

    def forward(self, batch: Tensors) -> torch.Tensor:
        return self.objective(self.model, batch)


class StepTrainer(Trainer):  # type: ignore[misc]
    """A Trainer that takes the objective as an argument and keeps the order of the plan."""

    def __init__(self, objective: Objective, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.objective = objective

    def training_step(
        self, model: Any, inputs: list[Micro], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        model.train()
        loss = torch.zeros((), device=self.args.device)
        for number, micro in enumerate(inputs):
            last = number == len(inputs) - 1
            sync = nullcontext() if last else self.accelerator.no_sync(model=model)
            if micro.seed is not None:
                torch.manual_seed(micro.seed)
            with sync:
                part = self.compute_loss(model, self._prepare_inputs(micro.tensors)) * micro.weight
                self.accelerator.backward(part)
            loss += part.detach()
        return loss

    def compute_loss(
        self,
        model: Any,
        inputs: Tensors,
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> torch.Tensor:
        # accelerate puts autocast around `forward` only, and an objective may call other methods.
        with self.accelerator.autocast():
            if isinstance(model, DistributedDataParallel):
                loss: torch.Tensor = model(inputs)
                return loss
            return self.objective(model, inputs)

    def get_train_dataloader(self) -> DataLoader[list[Micro]]:
        # Not accelerate's loader, which gives each process other steps; here they share each step.
        return DataLoader(
            self.train_dataset,
            batch_size=1,
            collate_fn=lambda steps: steps[0],
            pin_memory=False,
        )

    def floating_point_ops(self, inputs: Any) -> int:
        return 0  # not counted

    def _wrap_model(self, model: Any, training: bool = True, dataloader: Any = None) -> Any:
        if not training or self.args.world_size == 1:
            return model
        return DistributedDataParallel(
            _Whole(model, self.objective),
            device_ids=None if self.args.use_cpu else [self.args.device],
            find_unused_parameters=True,  # a batch of one task uses one of the heads
        )
