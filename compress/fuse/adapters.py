"""Adapters that can be merged: on floating-point weights, and in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch

from compress.errors import FuseError
from evalsuite.opening.adapter import attach
from evalsuite.runtimes.torch import TorchPredictor
from evalsuite.task import Task
from transfer.models import checkpoints
from transfer.models.adapters import Adapter

Onto = Literal["dequantized", "original"]


def read(directory: Path) -> Adapter:
    """The adapter, if it is one that merges.

    Raises:
        FuseError: not an adapter, or a prompt.
        AdapterError: its base is gone.
    """
    if not (directory / "adapter_config.json").is_file():
        raise FuseError(
            f"{directory} is not an adapter (no adapter_config.json); a checkpoint trained with "
            "method: full is whole already, leave its fuse stage out"
        )
    adapter = Adapter.read(directory)
    if adapter.virtual_tokens:
        raise FuseError(
            f"{directory} is a prompt: what it adds are virtual tokens, and no weights could hold "
            "them; evaluate takes it as it is, or train with method: lora"
        )
    return adapter


def attached(adapter: Adapter, task: Task | None, onto: Onto) -> Any:
    """The adapter on fp32 weights, not merged yet: those it saw in training (dequantized, or
    rounded to bf16 and back), or those of the original checkpoint."""
    seen = onto == "dequantized"
    quantized = seen and adapter.precision in ("int8", "nf4")
    model = adapter.base_for(task, adapter.precision if quantized else "fp32")
    if quantized:
        model = model.dequantize()
    if seen:
        checkpoints.round_embeddings(model, adapter.embeddings)
    if seen and adapter.precision == "bf16":
        model = model.to(torch.bfloat16)
    return attach(model.float(), adapter.directory)


def merged(model: Any) -> Any:
    """The same with the adapter in its weights: a plain transformers model, fp32."""
    return model.merge_and_unload().float().eval()


def predictor(model: Any, adapter: Adapter, task: Task | None) -> TorchPredictor:
    """To run any of these as a checkpoint with the task's head."""
    found = TorchPredictor(adapter.base, model, "fp32")
    found.labels, found.answers = adapter.labels(task), adapter.answers(task)
    return found
