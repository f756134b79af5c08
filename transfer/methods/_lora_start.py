"""Initial values of LoRA's two matrices, and how an adapter that started from them is saved.

PiSSA (Meng et al. 2024, peft's `init_lora_weights="pissa"`): the matrices start as the principal
part of the weight, which is subtracted from the weight: W = W_res + s B0 A0. The saved adapter is a
LoRA of twice the rank, s (B A - B0 A0), which fits the plain base. peft converts in the same way
(0.21, `path_initial_model_for_weight_conversion`), but without the task head and DoRA's magnitudes.

LoftQ (Li et al. 2023): the matrices start as the best low-rank correction of NF4's rounding error;
the base is the plain NF4 one. peft's `replace_lora_weights_loftq` (0.21) needs a GPU and does not
divide by s.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from evalsuite.opening.pretrained import from_pretrained
from evalsuite.runtimes.torch import auto_class

_WEIGHTS = "adapter_model.safetensors"
_CONFIG = "adapter_config.json"
_NAME = "default"


def loftq(model: Any) -> None:
    """Start the adapter of an NF4 model so that both together are nearest to the weights on disk.

    This is one step of the paper's alternation, because a second step would change the base.
    """
    from peft.tuners.lora import LoraLayer
    from peft.utils.integrations import dequantize_module_weight

    base = model.get_base_model()
    original = from_pretrained(auto_class(None), Path(base.name_or_path), dtype=torch.float32)
    for name, layer in base.base_model.named_modules():
        if not isinstance(layer, LoraLayer):
            continue
        rounded = dequantize_module_weight(layer.get_base_layer()).float()
        weight = original.get_submodule(name).weight.detach().to(rounded.device)
        up, down = low_rank(weight - rounded, layer.r[_NAME])
        layer.lora_A[_NAME].weight.data = down
        layer.lora_B[_NAME].weight.data = up / layer.scaling[_NAME]
        if _NAME in layer.lora_magnitude_vector:
            layer.lora_magnitude_vector[_NAME].update_layer(
                base_layer=layer.get_base_layer(),
                lora_A=down,
                lora_B=layer.lora_B[_NAME].weight,
                scaling=layer.scaling[_NAME],
            )


def low_rank(matrix: torch.Tensor, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The factors `[out, rank]` and `[rank, in]` whose product is nearest to `[out, in]`."""
    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    root = values[:rank].sqrt()
    return (left[:, :rank] * root).contiguous(), (root[:, None] * right[:rank]).contiguous()


def matrices(model: Any) -> dict[str, torch.Tensor]:
    """Copies of LoRA's matrices, by the names they are saved with."""
    from peft import get_peft_model_state_dict

    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    return {
        name: value.clone() for name, value in state.items() if "lora_A" in name or "lora_B" in name
    }


def subtract(out: Path, start: dict[str, torch.Tensor]) -> None:
    """Rewrite a saved adapter as the difference from its start: [B, -B0] and [A; A0]."""
    tensors = load_file(out / _WEIGHTS)
    for name, first in start.items():
        first = first.to(tensors[name])
        down = "lora_A" in name
        tensors[name] = torch.cat((tensors[name], first if down else -first), 0 if down else 1)
    save_file(tensors, out / _WEIGHTS, metadata={"format": "pt"})
    config = json.loads((out / _CONFIG).read_text(encoding="utf-8"))
    config["r"] *= 2
    config["lora_alpha"] *= 2**0.5 if config["use_rslora"] else 2  # keeps the scale as it was
    config["init_lora_weights"] = True
    (out / _CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")
