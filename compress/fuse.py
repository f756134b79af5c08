"""Fuse an adapter into its base.

An adapter trained on an NF4 or int8 base saw the dequantized weights, so merging it into the
original weights gives another function. By default it is merged into the dequantized base; the
drift from the live adapter is measured for that and for the original base alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from compress.errors import FuseError
from evalsuite import parity
from evalsuite.runtimes.torch import TorchPredictor
from evalsuite.sample import Probe
from evalsuite.session import Session
from evalsuite.task import Task
from transfer import cards, checkpoints
from transfer.adapters import Adapter, AdapterPredictor
from transfer.checkpoints import Precision

Onto = Literal["dequantized", "original"]


@dataclass(frozen=True, slots=True)
class Fused:
    """What a fuse did."""

    precision: Precision
    drift: dict[Onto, parity.Parity]


def fuse(
    directory: Path,
    task: Task | None,
    out: Path,
    *,
    onto: Onto = "dequantized",
    probe: Probe | None = None,
) -> Fused:
    """Merge the adapter in `directory` and write a plain checkpoint to `out`.

    Args:
        task: whose head the adapter carries; None for an encoder's adapter.
        probe: text to measure the drift on; without it the drift is not measured.

    Raises:
        FuseError: not an adapter, or a prompt.
        AdapterError: its base is gone, or its task not known.
    """
    adapter = _read(directory)
    base, precision = adapter.base, adapter.precision
    fused = _merged(adapter, task, onto)
    drift: dict[Onto, parity.Parity] = {}
    if probe is not None and probe.per_language:
        live = AdapterPredictor(adapter, task)
        session = Session(live)
        text = probe.sequences(session.tokenizer, live.max_length)
        drift[onto] = parity.compare(session, _predictor(fused, base, task), text)
        if precision in ("int8", "nf4"):
            other: Onto = "original" if onto == "dequantized" else "dequantized"
            alternative = _merged(adapter, task, other)
            drift[other] = parity.compare(session, _predictor(alternative, base, task), text)
    card = cards.card(
        "Fused checkpoint",
        [f"adapter fused onto the {onto} base ({precision})", f"base: {base.name}"],
    )
    checkpoints.save(fused, base, out, card)
    return Fused(precision, drift)


def _read(directory: Path) -> Adapter:
    """The adapter, if it is one that merges."""
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


def _merged(adapter: Adapter, task: Task | None, onto: Onto) -> Any:
    """The adapter merged into floating-point weights, fp32."""
    from peft import PeftModel

    precision = adapter.precision
    quantized = precision in ("int8", "nf4")
    held = precision if quantized and onto == "dequantized" else "fp32"
    model = adapter.base_for(task, held)
    if held != "fp32":
        model = model.dequantize()
    if adapter.embeddings == "bf16" and onto == "dequantized":
        table = model.get_input_embeddings().weight
        table.data = table.data.to(torch.bfloat16).float()
    if precision == "bf16" and onto == "dequantized":
        model = model.to(torch.bfloat16)
    merged = PeftModel.from_pretrained(model.float(), adapter.directory).merge_and_unload()
    return merged.float().eval()


def _predictor(model: Any, base: Path, task: Task | None) -> TorchPredictor:
    predictor = TorchPredictor(base, model, "fp32")
    predictor.labels = task.labels if task else ()
    return predictor
