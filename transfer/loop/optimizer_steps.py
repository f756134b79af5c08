"""transformers.Trainer over a plan of optimizer steps, each of some micro-batches.

A step's loss is its micro-batches' losses, weighed by hand and not by the Trainer, whose own
accumulation knows steps of equally many batches alone. Several processes share a step: each takes
every n-th of its micro-batches, and gradients are added up over all (DistributedDataParallel).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, Dataset
from transformers import Trainer

from transfer.loop.batch_plan import Batch, items

if TYPE_CHECKING:
    from transfer.loop.fit import Collate, Objective, Tensors


@dataclass(frozen=True, slots=True)
class Micro:
    """One forward and backward pass: its tensors, its share of the step's loss, and the seed of
    what the model draws (None: the stream goes on)."""

    tensors: Tensors
    weight: float
    seed: int | None


class Steps(Dataset[list[Micro]]):
    """One item an optimizer step, of this process's share of it.

    Args:
        cut: what makes a batch a step of several micro-batches. Their losses then weigh as many
            items as they have, which makes the step's loss that of the whole batch, and each has a
            seed of its own, so that how many processes share a step changes nothing. Without it
            `accumulate` batches of the plan are a step, with equal weights.
    """

    def __init__(
        self,
        batches: Sequence[Batch],
        collate: Collate,
        accumulate: int,
        cut: Callable[[Batch], list[Batch]] | None,
        rank: int,
        world: int,
    ) -> None:
        self.steps = [batches[i : i + accumulate] for i in range(0, len(batches), accumulate)]
        if len(self.steps) > 1 and len(self.steps[-1]) < accumulate:
            self.steps.pop()
        self.collate, self.cut, self.rank, self.world = collate, cut, rank, world

    def __len__(self) -> int:
        return len(self.steps)

    def examples(self, steps: int) -> int:
        """Rows of the first so many steps."""
        return sum(len(batch.indices) for step in self.steps[:steps] for batch in step)

    def __getitem__(self, index: int) -> list[Micro]:
        step = self.steps[index]
        if self.cut is None:
            return [Micro(self.collate(batch), 1 / len(step), None) for batch in step]
        batches = self.cut(step[0])
        # Every process counts all items; it needs its own share's tensors alone after that.
        tensors = [self.collate(batch) for batch in batches]
        counts = [items(one) for one in tensors]
        total = max(1, sum(counts))
        found = [
            Micro(one, self.world * count / total, batch.seed)
            for one, count, batch in zip(tensors, counts, batches, strict=True)
        ]
        # A process without a micro-batch of its own still takes part in the sum, with nothing.
        return found[self.rank :: self.world] or [Micro(tensors[0], 0.0, batches[0].seed)]


class _Whole(nn.Module):
    """A model and its objective as one module, since gradients are only gathered of what a
    wrapped module's own forward computes."""

    def __init__(self, model: Any, objective: Objective) -> None:
        super().__init__()
        self.model, self.objective = model, objective

    def forward(self, batch: Tensors) -> torch.Tensor:
        return self.objective(self.model, batch)


class StepTrainer(Trainer):  # type: ignore[misc]
    """Trainer with the objective passed in and the plan's own order."""

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
            apart = nullcontext() if last else self.accelerator.no_sync(model=model)
            if micro.seed is not None:
                torch.manual_seed(micro.seed)
            with apart:
                one = self.compute_loss(model, self._prepare_inputs(micro.tensors)) * micro.weight
                self.accelerator.backward(one)
            loss += one.detach()
        return loss

    def compute_loss(
        self,
        model: Any,
        inputs: Tensors,
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> torch.Tensor:
        # accelerate wraps the model's own forward only; an objective may call its parts.
        with self.accelerator.autocast():
            if isinstance(model, DistributedDataParallel):
                found: torch.Tensor = model(inputs)
                return found
            return self.objective(model, inputs)

    def get_train_dataloader(self) -> DataLoader[list[Micro]]:
        # Not accelerate's: processes share each step, and do not take steps in turn.
        return DataLoader(
            self.train_dataset,
            batch_size=1,
            collate_fn=lambda one: one[0],
            pin_memory=False,
        )

    def floating_point_ops(self, inputs: Any) -> int:
        return 0  # not counted here

    def _wrap_model(self, model: Any, training: bool = True, dataloader: Any = None) -> Any:
        if not training or self.args.world_size == 1:
            return model
        return DistributedDataParallel(
            _Whole(model, self.objective),
            device_ids=None if self.args.use_cpu else [self.args.device],
            find_unused_parameters=True,  # a batch of one task leaves the other heads alone
        )
