"""Adapters on disk, on the base they were trained on, and on floating-point weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from compress.errors import FuseError
from evalsuite.runtimes.torch import TorchPredictor
from evalsuite.task import Task
from transfer import checkpoints
from transfer.checkpoints import Embeddings, Precision

Onto = Literal["dequantized", "original"]


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter's directory, its base's, and how the base was held when it was trained."""

    directory: Path
    base: Path
    precision: Precision = "fp32"
    embeddings: Embeddings = "fp32"

    @classmethod
    def read(cls, directory: Path) -> Adapter:
        """Look at what is written beside the weights.

        Raises:
            FuseError: not an adapter, or its base is gone.
        """
        try:
            text = (directory / "adapter_config.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            raise FuseError(
                f"{directory} is not an adapter (no adapter_config.json); a checkpoint trained "
                "with method: full is whole already, leave its fuse stage out"
            ) from None
        base = Path(json.loads(text)["base_model_name_or_path"])
        if not (base / "config.json").is_file():
            raise FuseError(
                f"the base of {directory} is gone: {base}; run the recipe again from it"
            )
        training = checkpoints.read_training(directory)
        return cls(
            directory,
            base,
            training.get("base_precision", "fp32"),
            training.get("embeddings", "fp32"),
        )


def live(adapter: Adapter, task: Task | None) -> Any:
    """The model as it was trained: adapter on the base in its precision."""
    from peft import PeftModel

    model, _ = checkpoints.load(adapter.base, task, adapter.precision)
    checkpoints.hold_embeddings(model, adapter.embeddings)
    return PeftModel.from_pretrained(model, adapter.directory).eval()


def attached(adapter: Adapter, task: Task | None, onto: Onto) -> Any:
    """The adapter on fp32 weights, not merged yet: those it saw in training (dequantized, or
    rounded to bf16 and back), or those of the original checkpoint."""
    from peft import PeftModel

    seen = onto == "dequantized"
    quantized = seen and adapter.precision in ("int8", "nf4")
    model, _ = checkpoints.load(adapter.base, task, adapter.precision if quantized else "fp32")
    if quantized:
        model = model.dequantize()
    if seen:
        checkpoints.round_embeddings(model, adapter.embeddings)
    if seen and adapter.precision == "bf16":
        model = model.to(torch.bfloat16)
    return PeftModel.from_pretrained(model.float(), adapter.directory)


def merged(model: Any) -> Any:
    """The same with the adapter in its weights: a plain transformers model, fp32."""
    return model.merge_and_unload().float().eval()


def predictor(model: Any, base: Path, task: Task | None) -> TorchPredictor:
    """To run any of these as a checkpoint with the task's head."""
    found = TorchPredictor(base, model, "fp32")
    found.labels = task.labels if task else ()
    return found
