"""Counts and digests of weights on disk, read without loading them.

Only files that are read when the model is opened are counted: a checkpoint of the hub often has the
same weights in `pytorch_model.bin` too.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from pathlib import Path

from evalsuite.inference.open_model import BUNDLE_FILE
from evalsuite.opening import weight_files
from evalsuite.opening.tokenizer import OLDER, TOKENIZER
from evalsuite.opening.validated import ADAPTER_FILE

_TOKENIZER_FILES = frozenset(
    (TOKENIZER, *OLDER, "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
)
# What bitsandbytes stores beside codes: of int8, and of two 4-bit codes a byte.
_SCALES = (
    ".SCB", ".weight_format",
    ".weight.absmax", ".weight.quant_map", ".weight.nested_absmax", ".weight.nested_quant_map",
)  # fmt: skip
_STATE = ".quant_state."
_ADAPTER = "adapter_model.safetensors"
GRAPHS = ("onnx", "1")  # folders of a bundle's graph, where it is not in the bundle itself
_WEIGHTS = (".safetensors", ".onnx", ".data", ".xml", ".bin", ".npy", ".npz", ".pte")


def is_weight(path: Path) -> bool:
    """Whether a file is part of the model proper (weights, arrays or graph)."""
    return path.suffix in _WEIGHTS


def safetensors_header(path: Path) -> dict[str, tuple[int, ...]]:
    """Tensor names and shapes of a safetensors file, from its header alone."""
    with path.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
    return {k: tuple(v["shape"]) for k, v in header.items() if k != "__metadata__"}


def parameter_counts(directory: Path) -> tuple[int, int]:
    """(all parameters, those of the embedding tables) of a checkpoint's safetensors; of one that
    bitsandbytes quantized, the weights that its codes stand for."""
    total = embeddings = 0
    for path in _weights(directory):
        if path.suffix != ".safetensors":
            continue
        header = safetensors_header(path)
        halves = {name.partition(_STATE)[0] for name in header if _STATE in name}
        for name, shape in header.items():
            if name.endswith(_SCALES) or _STATE in name:
                continue
            count = math.prod(shape) * (2 if name in halves else 1)
            total += count
            if ".embeddings." in f".{name}" and name.endswith("_embeddings.weight"):
                embeddings += count
    return total, embeddings


def sizes(directory: Path) -> tuple[int, int]:
    """(bytes of weights and graph, bytes of the tokenizer's files)."""
    model = sum(path.stat().st_size for path in _weights(directory))
    tokenizer = (path for path in _files(directory) if path.name in _TOKENIZER_FILES)
    return model, sum(path.stat().st_size for path in tokenizer)


def digest(directory: Path) -> str:
    """SHA-256 over the weight files' names and contents, in name order."""
    sha = hashlib.sha256()
    for path in _weights(directory):
        sha.update(path.name.encode())
        with path.open("rb") as file:
            while block := file.read(1 << 22):
                sha.update(block)
    return sha.hexdigest()


def _weights(directory: Path) -> list[Path]:
    """Files with weights that are read: those of an adapter or a checkpoint, or all of a bundle.

    Raises:
        ModelError: a checkpoint's index is damaged, or names a file that is not there.
    """
    if not (directory / BUNDLE_FILE).is_file():
        if (directory / ADAPTER_FILE).is_file() and (directory / _ADAPTER).is_file():
            return [directory / _ADAPTER]
        if any((directory / name).is_file() for name in (weight_files.WEIGHTS, weight_files.INDEX)):
            return weight_files.files(directory)
    return list(filter(is_weight, _files(directory)))


def _files(directory: Path) -> list[Path]:
    """Files of a model, in name order; those in the folder of its graph where that has the weights.

    A checkpoint of the hub may have a graph in a folder, next to its weights.
    """
    top = [path for path in sorted(directory.iterdir()) if path.is_file()]
    inside = sorted(path for name in GRAPHS for path in (directory / name).glob("*"))
    return top if any(map(is_weight, top)) else top + inside
