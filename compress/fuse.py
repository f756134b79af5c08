"""Fuse an adapter into its base.

An adapter trained on an NF4 or int8 base saw the dequantized weights, so merging it into the
original weights gives another function. By default it is merged into the dequantized base; the
drift from the live adapter is measured for that and for the original base alike.
"""

from __future__ import annotations

import json
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
from transfer.checkpoints import Embeddings, Precision

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
        FuseError: not an adapter, or its base is gone.
    """
    base, precision, embeddings = _base(directory)
    fused = _merged(base, directory, task, precision, embeddings, onto)
    drift: dict[Onto, parity.Parity] = {}
    if probe is not None and probe.per_language:
        live = _predictor(_live(base, directory, task, precision, embeddings), base, task)
        session = Session(live)
        text = probe.sequences(session.tokenizer, live.max_length)
        drift[onto] = parity.compare(session, _predictor(fused, base, task), text)
        if precision in ("int8", "nf4"):
            other: Onto = "original" if onto == "dequantized" else "dequantized"
            alternative = _merged(base, directory, task, precision, embeddings, other)
            drift[other] = parity.compare(session, _predictor(alternative, base, task), text)
    card = cards.card(
        "Fused checkpoint",
        [f"adapter fused onto the {onto} base ({precision})", f"base: {base.name}"],
    )
    checkpoints.save(fused, base, out, card)
    return Fused(precision, drift)


def _base(directory: Path) -> tuple[Path, Precision, Embeddings]:
    """The adapter's base directory, and the precision it was held in."""
    try:
        adapter = json.loads((directory / "adapter_config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FuseError(
            f"{directory} is not an adapter (no adapter_config.json); a checkpoint trained with "
            "method: full is whole already, leave its fuse stage out"
        ) from None
    base = Path(adapter["base_model_name_or_path"])
    if not (base / "config.json").is_file():
        raise FuseError(f"the base of {directory} is gone: {base}; run the recipe again from it")
    training = checkpoints.read_training(directory)
    return base, training.get("base_precision", "fp32"), training.get("embeddings", "fp32")


def _live(
    base: Path, adapter: Path, task: Task | None, precision: Precision, embeddings: Embeddings
) -> Any:
    """The model as it was trained: adapter on the base in its precision."""
    from peft import PeftModel

    model, _ = checkpoints.load(base, task, precision)
    checkpoints.hold_embeddings(model, embeddings)
    return PeftModel.from_pretrained(model, adapter).eval()


def _merged(
    base: Path,
    adapter: Path,
    task: Task | None,
    precision: Precision,
    embeddings: Embeddings,
    onto: Onto,
) -> Any:
    """The adapter merged into floating-point weights, fp32."""
    from peft import PeftModel

    quantized = precision in ("int8", "nf4")
    held = precision if quantized and onto == "dequantized" else "fp32"
    model, _ = checkpoints.load(base, task, held)
    if held != "fp32":
        model = model.dequantize()
    if onto == "dequantized":
        checkpoints.round_embeddings(model, embeddings)
    if precision == "bf16" and onto == "dequantized":
        model = model.to(torch.bfloat16)
    merged = PeftModel.from_pretrained(model.float(), adapter).merge_and_unload()
    return merged.float().eval()


def _predictor(model: Any, base: Path, task: Task | None) -> TorchPredictor:
    predictor = TorchPredictor(base, model, "fp32")
    predictor.labels = task.labels if task else ()
    return predictor
