"""A LoRA after another one: trained on top of it while it is frozen, or started from its weights.

>>> updates = Updates.read(Path("mnli"))        # an adapter's directory
>>> sorted(updates.factors)[0]      # a DistilBERT's
'transformer.layer.0.attention.q_lin'
>>> updates.factors["transformer.layer.0.attention.q_lin"].down.shape
torch.Size([16, 768])

Pfeiffer et al. (2020, MAD-X) stack a task's adapter on a language's, Vu et al. (2022, SPoT) start a
target task's prompt from another task's; here both are done with LoRA. The result is always saved
as one LoRA for the plain base. A stack is saved as the concatenation of both adapters' factors,
s1 B1 A1 + s2 B2 A2 = [s1 B1, s2 B2] [A1; A2], so peft, `fuse` and `evaluate` read it as any other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from evalsuite.opening.adapter import lora_config
from evalsuite.opening.validated import adapter_config
from evalsuite.registry import FAMILIES
from transfer.errors import AdapterError, MethodError

_WEIGHTS = "adapter_model.safetensors"
_CONFIG = "adapter_config.json"
_NAME = "default"
_STACKS = "|".join(sorted({re.escape(FAMILIES.get(name).stack) for name in FAMILIES.names()}))
_FACTOR = re.compile(
    rf"(?P<prefix>(?:.*?\.)?)(?P<layer>(?:{_STACKS})\.\d+\..*)\.lora_(?P<side>[AB])\.weight"
)
_PREFIX = "base_model.model."


@dataclass(frozen=True, slots=True)
class Factors:
    """The update of one layer, `up @ down`: `[out, rank]`, already scaled, and `[rank, in]`."""

    up: torch.Tensor
    down: torch.Tensor


@dataclass(frozen=True, slots=True)
class Updates:
    """The updates an adapter adds to the encoder's layers, and its head.

    Attributes:
        rank: of each update.
        factors: by the layer's name.
        head: tensors by their names in a model with that head; none for an encoder's adapter.
    """

    rank: int
    factors: dict[str, Factors]
    head: dict[str, torch.Tensor]

    @classmethod
    def read(cls, directory: Path) -> Updates:
        """Read an adapter from disk.

        Raises:
            AdapterError: it is not a LoRA, or it is a DoRA, whose update is not a sum.
        """
        read = adapter_config(directory)
        if read["peft_type"] != "LORA" or read.get("use_dora"):
            kind = "dora" if read.get("use_dora") else read["peft_type"].lower()
            raise AdapterError(
                f"{directory} is an adapter of the kind {kind}; only a plain lora can be trained on"
            )
        config = lora_config(directory)
        if config.rank_pattern or config.alpha_pattern:
            raise AdapterError(
                f"{directory} has different ranks in some layers (rank_pattern, alpha_pattern); "
                "fuse it first"
            )
        rank = int(config.r)
        scale = config.lora_alpha / (rank**0.5 if config.use_rslora else rank)
        sides: dict[str, dict[str, torch.Tensor]] = {}
        head = {}
        for name, tensor in load_file(directory / _WEIGHTS).items():
            if match := _FACTOR.fullmatch(name):
                sides.setdefault(match["layer"], {})[match["side"]] = tensor.float()
            else:
                head[name.removeprefix(_PREFIX)] = tensor
        factors = {
            layer: Factors(both["B"] * scale, both["A"].contiguous())
            for layer, both in sides.items()
        }
        return cls(rank, factors, head)

    def put_head(self, model: Any) -> bool:
        """Copy the head into a model; False where the model has no head of the same shape."""
        parameters = dict(model.named_parameters())
        if not self.head or any(
            name not in parameters or parameters[name].shape != value.shape
            for name, value in self.head.items()
        ):
            return False
        for name, value in self.head.items():
            parameters[name].data.copy_(value)
        return True

    def stack(self, wrapped: Any) -> None:
        """Add the frozen update to what peft's model computes, below the adapter it trains.

        A hook adds it, because peft loses a second adapter when a training is resumed.
        """
        for layer, module in _layers(wrapped, self.factors):
            base = module.base_layer if hasattr(module, "base_layer") else module
            factors = self.factors[layer]
            device = next(module.parameters()).device
            base.register_buffer("under_up", factors.up.to(device), persistent=False)
            base.register_buffer("under_down", factors.down.to(device), persistent=False)
            base.register_forward_hook(_add)
        wrapped.under = self

    def start(self, wrapped: Any) -> None:
        """Start peft's adapter from this update.

        Raises:
            MethodError: peft's adapter has another rank, or no update in one of the layers.
        """
        rank = wrapped.peft_config[_NAME].r
        if rank != self.rank:
            raise MethodError(
                f"rank: {rank}, but the adapter to start from has {self.rank}; set rank: "
                f"{self.rank}, or sequential: stack"
            )
        for layer, module in _layers(wrapped, self.factors):
            if not hasattr(module, "lora_A"):
                raise MethodError(
                    f"targets: {layer} gets no update, but the adapter to start from has one "
                    "there; use the targets and adapter_layers it was trained with, or "
                    "sequential: stack"
                )
            factors = self.factors[layer]
            module.lora_A[_NAME].weight.data.copy_(factors.down)
            module.lora_B[_NAME].weight.data.copy_(factors.up / module.scaling[_NAME])

    def join(self, out: Path) -> None:
        """Rewrite a saved adapter as the sum of itself and this update."""
        config = json.loads((out / _CONFIG).read_text(encoding="utf-8"))
        above = Updates.read(out)
        saved = load_file(out / _WEIGHTS)
        names = [match for name in saved if (match := _FACTOR.fullmatch(name))]
        prefix = names[0]["prefix"]
        tensors = {name: value for name, value in saved.items() if _FACTOR.fullmatch(name) is None}
        for layer in sorted(self.factors.keys() | above.factors.keys()):
            up, down = _concatenated(self, above, layer)
            tensors[f"{prefix}{layer}.lora_A.weight"] = down
            tensors[f"{prefix}{layer}.lora_B.weight"] = up
        save_file(tensors, out / _WEIGHTS, metadata={"format": "pt"})
        config["r"] = config["lora_alpha"] = self.rank + above.rank  # the scale is in the factors
        config["use_rslora"] = False
        config["target_modules"] = sorted(
            f"{prefix.removeprefix(_PREFIX)}{layer}"
            for layer in self.factors.keys() | above.factors.keys()
        )
        config["layers_to_transform"] = config["layers_pattern"] = config["exclude_modules"] = None
        (out / _CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")


def _concatenated(one: Updates, two: Updates, layer: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Factors of a layer from both adapters; zeros where one of them has no update there."""
    either = one.factors.get(layer) or two.factors[layer]
    ups, downs = [], []
    for updates in (one, two):
        factors = updates.factors.get(layer)
        rows, columns = len(either.up), either.down.shape[1]
        ups.append(factors.up if factors else torch.zeros(rows, updates.rank))
        downs.append(factors.down if factors else torch.zeros(updates.rank, columns))
    return torch.cat(ups, 1).contiguous(), torch.cat(downs, 0).contiguous()


def _layers(wrapped: Any, factors: dict[str, Factors]) -> Iterator[tuple[str, Any]]:
    """Each layer's name and its module in the encoder.

    Raises:
        AdapterError: the model has no such layer.
    """
    modules = dict(wrapped.get_base_model().base_model.named_modules())
    for layer in factors:
        if layer not in modules:
            raise AdapterError(f"the model has no layer {layer}, which the adapter changes")
        yield layer, modules[layer]


def _add(layer: Any, args: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
    down, up = layer.under_down, layer.under_up
    added = nn.functional.linear(nn.functional.linear(args[0].to(down.dtype), down), up)
    return output + added.to(output.dtype)
