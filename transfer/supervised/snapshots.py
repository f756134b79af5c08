"""Trained weights on disk, in the work directory: the best so far, or some to take the mean of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from transfer.loop import processes
from transfer.loop.types import Summary


def write(model: Any, path: Path) -> None:
    """The trained tensors of a model; as a whole file or not at all."""
    own = {
        name: parameter.detach().cpu().contiguous()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }
    partial = path.with_name(f".{path.name}")
    save_file(own, partial)
    partial.replace(path)


def restore(model: Any, paths: Sequence[Path]) -> None:
    """Give a model the mean of these snapshots, in place."""
    own = dict(model.named_parameters())
    total: dict[str, torch.Tensor] = {}
    for path in paths:
        for name, tensor in load_file(path).items():
            total[name] = total[name] + tensor.double() if name in total else tensor.double()
    with torch.no_grad():
        for name, tensor in total.items():
            own[name].copy_(tensor / len(paths))


class Tail:
    """Weight averaging over the end of a training (Izmailov et al. 2018; `checkpoint averaging` of
    Vaswani et al. 2017): the mean of the weights after `count` steps, evenly apart over the last
    `share` of all.
    """

    def __init__(self, model: Any, count: int, share: float, total: int, work: Path) -> None:
        self.model, self.work = model, work
        apart = max(1.0, share * total / count)
        self.steps = sorted({max(1, round(total - place * apart)) for place in range(count)})

    def __call__(self, step: int) -> None:
        """After a step: keep its weights, if they count."""
        if step in self.steps and processes.is_main():
            write(self.model, self._path(step))

    def finish(self) -> Summary:
        """Give the model the mean of the weights; a line for the summary."""
        restore(self.model, [self._path(step) for step in self.steps])
        return {"weights": f"mean of those after steps {', '.join(map(str, self.steps))}"}

    def _path(self, step: int) -> Path:
        return self.work / f"average-{step}.safetensors"
