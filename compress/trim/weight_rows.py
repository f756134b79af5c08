"""Rows of a checkpoint's weights that stand for pieces of its vocabulary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.errors import TrimError
from evalsuite.find_family import named
from evalsuite.inference.checkpoint_config import model_config, read_config
from evalsuite.opening.weight_files import files
from evalsuite.runtimes.torch import load_checkpoint

if TYPE_CHECKING:
    from torch import Tensor


def load(directory: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Config and weights as they lie in the files; the config with its number of pieces.

    Raises:
        TrimError: an adapter.
        ModelError: it does not open.
        PickleRefusedError: the weights are a pickle.
    """
    from safetensors.torch import load_file

    if (directory / "adapter_config.json").is_file():
        raise TrimError(f"{directory} is an adapter; fuse it first")
    load_checkpoint(directory)  # every tensor is there, or an error
    weights: dict[str, Tensor] = {}
    for path in files(directory):
        weights |= load_file(path)
    return read_config(directory) | {"vocab_size": model_config(directory)["vocab_size"]}, weights


def names(weights: Mapping[str, Tensor], config: Mapping[str, Any], directory: Path) -> list[str]:
    """Names of the tensors with a row per piece.

    Raises:
        TrimError: there are none, or their rows are not as many as the config says.
        UnknownNameError: the model's family is not known.
    """
    size, rows = config["vocab_size"], _rows(config)
    found = [name for name in weights if name.endswith(rows)]
    if not any(name.endswith(rows[0]) for name in found):
        raise TrimError(f"{directory} has no word embeddings in its weights; is it a checkpoint?")
    if wrong := [
        f"{name} {list(weights[name].shape)}" for name in found if len(weights[name]) != size
    ]:
        raise TrimError(f"config.json says {size:,} pieces, but there are {', '.join(wrong)}")
    return found


def _rows(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Ends of the names of the tensors with a row per piece, the word embeddings first."""
    return named(str(config.get("model_type"))).vocabulary


def namesake(weights: Mapping[str, Tensor], config: Mapping[str, Any], name: str) -> str | None:
    """The same tensor in a checkpoint with another head, or none."""
    (end,) = (end for end in _rows(config) if name.endswith(end))
    return next((other for other in weights if other.endswith(end)), None)


def save(out: Path, config: dict[str, Any], weights: dict[str, Tensor]) -> None:
    """Write `model.safetensors` and `config.json`."""
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: weight.contiguous() for name, weight in weights.items()},
        out / "model.safetensors",
        metadata={"format": "pt"},
    )
    (out / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
