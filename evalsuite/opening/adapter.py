"""An adapter of peft on a model, with every tensor of it in its place.

>>> wrapped = attach(model, Path("nli-adapter"))

peft warns of tensors that an adapter's file lacks and starts them at random, and drops those it
does not know; both are errors here.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalsuite.errors import ModelError
from evalsuite.opening.accounting import listed
from evalsuite.opening.finite import refuse_not_finite
from evalsuite.opening.weight_files import file_shapes

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"


def attach(model: Any, directory: Path) -> Any:
    """`PeftModel.from_pretrained` of a local adapter.

    Raises:
        ModelError: peft cannot read it, or its tensors are not those of its config.
        NotFiniteError: a weight is NaN or infinite.
    """
    from peft import PeftModel, get_peft_model_state_dict

    stored = file_shapes(directory / WEIGHTS)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Found missing adapter keys")  # named below
            wrapped = PeftModel.from_pretrained(model, directory)
    except Exception as error:  # of any kind: peft checks little of a config
        raise _does_not_open(directory, error) from error
    state = get_peft_model_state_dict(wrapped, save_embedding_layers=False)
    wanted = {name: tuple(tensor.shape) for name, tensor in state.items()}
    refuse_other_names(directory, wanted, stored)
    refuse_not_finite(directory, wrapped)
    return wrapped


def refuse_other_names(
    directory: Path,
    wanted: Mapping[str, tuple[int, ...]],
    stored: Mapping[str, tuple[int, ...]],
) -> None:
    """Raise ModelError unless an adapter's file has the tensors of its config in their shapes."""
    misshapen = [
        f"{name} {list(stored[name])} instead of {list(shape)}"
        for name, shape in sorted(wanted.items())
        if name in stored and stored[name] != shape
    ]
    parts = [
        listed("missing", sorted(wanted.keys() - stored.keys())),
        listed("of another shape", misshapen),
        listed("not expected", sorted(stored.keys() - wanted.keys())),
    ]
    if any(parts):
        raise ModelError(
            f"the weights in {directory} are not those of its {CONFIG}:\n"
            + "\n".join(part for part in parts if part)
            + "\ncopy the adapter again"
        )


def lora_config(directory: Path) -> Any:
    """The config of a LoRA, as peft reads it.

    Raises:
        ModelError: peft cannot read it.
    """
    from peft import LoraConfig

    try:
        return LoraConfig.from_pretrained(directory)
    except Exception as error:
        raise _does_not_open(directory, error) from error


def _does_not_open(directory: Path, error: Exception) -> ModelError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return ModelError(f"{directory} does not open as an adapter: {reason}")
