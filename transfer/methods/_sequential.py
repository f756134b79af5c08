"""A LoRA after another one: trained over it while it stays as it is, or started from it.

>>> before = Updates.read(Path("mnli"))        # an adapter's directory
>>> before.factors["encoder.layer.0.attention.self.query"].down.shape
torch.Size([16, 768])

Pfeiffer et al. (2020, MAD-X) stack a task's adapter on a language's, Vu et al. (2022, SPoT) start a
target task's prompt from another task's; here both are done with LoRA. What is saved is always one
LoRA for the plain base: of a stack both, their factors beside each other, s1 B1 A1 + s2 B2 A2 =
[s1 B1, s2 B2] [A1; A2], so that peft, `fuse` and `evaluate` need not know of it.
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

from transfer.errors import AdapterError, MethodError

_WEIGHTS = "adapter_model.safetensors"
_CONFIG = "adapter_config.json"
_NAME = "default"
_FACTOR = re.compile(r"(?P<prefix>.*?)(?P<layer>encoder\.layer\..*)\.lora_(?P<side>[AB])\.weight")
_PREFIX = "base_model.model."


@dataclass(frozen=True, slots=True)
class Factors:
    """One layer's update, `up @ down`: `[out, rank]` with the scale in it, and `[rank, in]`."""

    up: torch.Tensor
    down: torch.Tensor


@dataclass(frozen=True, slots=True)
class Updates:
    """What an adapter adds to its base, by the encoder's layers, and its head.

    Attributes:
        rank: of each update.
        head: tensors by their names in a model with that head; none for an encoder's adapter.
    """

    rank: int
    factors: dict[str, Factors]
    head: dict[str, torch.Tensor]

    @classmethod
    def read(cls, directory: Path) -> Updates:
        """Of an adapter on disk.

        Raises:
            AdapterError: it is no LoRA, or one whose update is no sum (DoRA).
        """
        config = json.loads((directory / _CONFIG).read_text(encoding="utf-8"))
        if config["peft_type"] != "LORA" or config.get("use_dora"):
            kind = "dora" if config.get("use_dora") else config["peft_type"].lower()
            raise AdapterError(
                f"{directory} is an adapter of the kind {kind}; only a plain lora can have another "
                "one after it"
            )
        if config.get("rank_pattern") or config.get("alpha_pattern"):
            raise AdapterError(
                f"{directory} has other ranks in some layers (rank_pattern, alpha_pattern); "
                "fuse it first"
            )
        rank = int(config["r"])
        scale = config["lora_alpha"] / (rank**0.5 if config["use_rslora"] else rank)
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
        """Copy the head into a model that has one of the same shape; whether it has."""
        own = dict(model.named_parameters())
        if not self.head or any(
            name not in own or own[name].shape != value.shape for name, value in self.head.items()
        ):
            return False
        for name, value in self.head.items():
            own[name].data.copy_(value)
        return True

    def stack(self, wrapped: Any) -> None:
        """Add the update, as it is, to what peft's model computes, under the adapter it trains.

        A hook adds it, since peft has one adapter that trains and saves and resumes well, and
        forgets the second one when a training is resumed.
        """
        for layer, module in _layers(wrapped, self.factors):
            base = module.base_layer if hasattr(module, "base_layer") else module
            found = self.factors[layer]
            device = next(module.parameters()).device
            base.register_buffer("under_up", found.up.to(device), persistent=False)
            base.register_buffer("under_down", found.down.to(device), persistent=False)
            base.register_forward_hook(_add)
        wrapped.under = self

    def start(self, wrapped: Any) -> None:
        """Have peft's adapter begin as this update.

        Raises:
            MethodError: it has another rank, or no place for some layer.
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
                    f"targets: {layer} gets no adapter, and the one to start from has one there; "
                    "use the targets and adapter_layers it was trained with, or sequential: stack"
                )
            found = self.factors[layer]
            module.lora_A[_NAME].weight.data.copy_(found.down)
            module.lora_B[_NAME].weight.data.copy_(found.up / module.scaling[_NAME])

    def join(self, out: Path) -> None:
        """Rewrite a saved adapter as itself and this update in one."""
        config = json.loads((out / _CONFIG).read_text(encoding="utf-8"))
        above = Updates.read(out)
        saved = load_file(out / _WEIGHTS)
        names = [match for name in saved if (match := _FACTOR.fullmatch(name))]
        prefix = names[0]["prefix"]
        tensors = {name: value for name, value in saved.items() if _FACTOR.fullmatch(name) is None}
        for layer in sorted(self.factors.keys() | above.factors.keys()):
            up, down = _beside(self, above, layer)
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


def _beside(one: Updates, two: Updates, layer: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Both factors of a layer, zeros where one of the adapters has none there."""
    some = one.factors.get(layer) or two.factors[layer]
    ups, downs = [], []
    for updates in (one, two):
        found = updates.factors.get(layer)
        rows, columns = len(some.up), some.down.shape[1]
        ups.append(found.up if found else torch.zeros(rows, updates.rank))
        downs.append(found.down if found else torch.zeros(updates.rank, columns))
    return torch.cat(ups, 1).contiguous(), torch.cat(downs, 0).contiguous()


def _layers(wrapped: Any, factors: dict[str, Factors]) -> Iterator[tuple[str, Any]]:
    """Modules of the encoder by the layers' names.

    Raises:
        AdapterError: there is no such layer.
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
