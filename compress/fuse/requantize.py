"""A fused checkpoint back in its base's precision, and what is left of the update there.

An adapter's update is small compared with the distance between two values of a 4-bit weight. Fused
onto the dequantized base, whose weights lie on those values, and rounded to them again, most of it
is gone; onto the original weights, which lie between them, it survives in the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from evalsuite.task import Task
from transfer.loop.types import Summary
from transfer.models import checkpoints

Quantized = Literal["nf4", "int8"]


@dataclass(frozen=True, slots=True)
class Loss:
    """What rounding left of an update D of weights W, over all layers that have one.

    With R the way through the quantizer and back, D' = R(W + D) - R(W) is the update that is
    stored; W are the weights the adapter was fused onto. Sums are over all elements of all layers.

    Attributes:
        kept: percent, 100 <D', D> / |D|^2: the share stored along the update itself. 0 where it
            was rounded away, 100 where it is whole or is so in the mean.
        error: percent, 100 |D' - D| / |D|: how far what is stored lies from the update, in its own
            length; 100 where it was rounded away, more where rounding adds more than there was.
        worst: the layer that keeps least, and what it keeps.
        layers: how many there are.
    """

    kept: float
    error: float
    worst: tuple[str, float]
    layers: int

    def facts(self) -> Summary:
        """For a stage's summary."""
        return {
            "requantized: update kept %": round(self.kept, 2),
            "requantized: update error %": round(self.error, 2),
            "requantized: keeps least": f"{self.worst[0]} {self.worst[1]:.2f}%",
        }


def weights_below(model: Any) -> dict[str, torch.Tensor]:
    """The weights of the linear layers that an unmerged adapter changes, by their names in the
    model that it is merged into."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    found = {}
    for name, module in model.get_base_model().named_modules():
        if isinstance(module, BaseTunerLayer):
            layer = module.get_base_layer()
            if isinstance(layer, nn.Linear):
                found[name] = layer.weight.detach().clone()
    return found


def round_trip(weight: torch.Tensor, precision: Quantized) -> torch.Tensor:
    """A weight `[out, in]` through bitsandbytes and back, as `checkpoints.load` stores it: NF4 in
    blocks of 64 with double quantization, or int8 with a scale a row."""
    from bitsandbytes import functional

    if precision == "nf4":
        codes, state = functional.quantize_4bit(weight, quant_type="nf4", compress_statistics=True)
        back: torch.Tensor = functional.dequantize_4bit(codes, state)
    else:
        codes, scales, _ = functional.int8_vectorwise_quant(weight.half())
        back = functional.int8_vectorwise_dequant(codes, scales)
    return back


def requantize(
    fused: Any,
    directory: Path,
    task: Task | None,
    precision: Quantized,
    before: Mapping[str, torch.Tensor],
) -> tuple[Any, Loss | None]:
    """Take a fused model's linear layers through the quantizer.

    Args:
        directory: where it is saved.
        before: the weights its adapter was merged into, as `weights_below` gives them.

    Returns:
        The model with the stored weights in fp32, and what is left of the update; None where
        there was none.

    Raises:
        ModelError: widths do not fit the precision on this machine.
    """
    model, _ = checkpoints.load(directory, task, precision)
    stored = {name for name, module in model.named_modules() if _quantized(module)}
    after = {name: fused.get_submodule(name).weight.detach() for name in before.keys() & stored}
    return model.dequantize().float().eval(), loss_of(before, after, precision)


def loss_of(
    before: Mapping[str, torch.Tensor], after: Mapping[str, torch.Tensor], precision: Quantized
) -> Loss | None:
    """What remains after rounding of the updates `after - before`, by layer, `[out, in]` each; None
    where there is no update."""
    found: dict[str, tuple[float, float, float]] = {}
    for name, weight in sorted(after.items()):
        update = weight - before[name].to(weight)
        if update.any():
            kept = round_trip(weight, precision) - round_trip(before[name].to(weight), precision)
            away = kept - update
            found[name] = (_dot(kept, update), _dot(away, away), _dot(update, update))
    if not found:
        return None
    along, away_all, total = (sum(parts) for parts in zip(*found.values(), strict=True))
    shares = {name: 100 * dot / size for name, (dot, _, size) in found.items()}
    worst = min(shares.items(), key=lambda item: item[1])
    return Loss(100 * along / total, 100 * (away_all / total) ** 0.5, worst, len(shares))


def _quantized(module: nn.Module) -> bool:
    return type(module).__name__ in ("Linear4bit", "Linear8bitLt")


def _dot(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one.double() * other.double()).sum())
