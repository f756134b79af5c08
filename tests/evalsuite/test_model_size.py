"""Sizes, counts and digests of a model: of the files that are read when it is opened."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from evalsuite.errors import ModelError
from evalsuite.machine.model_size import digest, parameter_counts, sizes

TABLE = "roberta.embeddings.word_embeddings.weight"


def a_checkpoint(directory: Path, file: str = "model.safetensors") -> Path:
    """Twelve weights, of which eight are in an embedding table."""
    directory.mkdir(exist_ok=True)
    save_file({TABLE: np.ones((4, 2), "f4"), "x": np.ones(4, "f4")}, directory / file)
    (directory / "config.json").write_text("{}")
    (directory / "tokenizer.json").write_text("{}  ")
    return directory


def all_of(directory: Path) -> tuple[tuple[int, int], tuple[int, int], str]:
    return sizes(directory), parameter_counts(directory), digest(directory)


def test_the_digest_of_a_checkpoint_is_of_its_name_and_bytes(tmp_path: Path) -> None:
    found = a_checkpoint(tmp_path / "c")
    content = (found / "model.safetensors").read_bytes()
    expected = hashlib.sha256(b"model.safetensors" + content).hexdigest()
    assert all_of(found) == ((len(content), 4), (12, 8), expected)


@pytest.mark.parametrize(
    "name",
    [
        "pytorch_model.bin", "training_args.bin", "optimizer.bin", "model.onnx",
        "openvino_model.xml", "table.npy",
    ],
)  # fmt: skip
def test_a_file_that_is_not_read_adds_nothing(tmp_path: Path, name: str) -> None:
    found = a_checkpoint(tmp_path / "c")
    alone = all_of(found)
    (found / name).write_bytes(b"weights that nothing reads")
    assert all_of(found) == alone


def test_the_same_weights_in_another_precision_add_nothing(tmp_path: Path) -> None:
    found = a_checkpoint(tmp_path / "c")
    alone = all_of(found)
    a_checkpoint(found, "model.fp16.safetensors")
    a_checkpoint(found, "model-00001-of-00001.safetensors")
    assert all_of(found) == alone


def test_parts_are_those_that_the_index_names(tmp_path: Path) -> None:
    names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    found = tmp_path / "c"
    for name in names:
        a_checkpoint(found, name)
    contents = [(found / name).read_bytes() for name in names]
    index = {"metadata": {}, "weight_map": {"b": names[1], "a": names[0]}}
    (found / "model.safetensors.index.json").write_text(json.dumps(index))
    (found / "pytorch_model-00001-of-00002.bin").write_bytes(b"never read")
    total = hashlib.sha256(b"".join(n.encode() + c for n, c in zip(names, contents, strict=True)))
    assert all_of(found) == ((sum(map(len, contents)), 4), (24, 16), total.hexdigest())
    (found / names[1]).unlink()
    with pytest.raises(ModelError, match=f"names {names[1]}, and .* has no such file"):
        sizes(found)


def test_an_adapter_is_its_own_weights(tmp_path: Path) -> None:
    found = a_checkpoint(tmp_path / "a", "adapter_model.safetensors")
    (found / "adapter_config.json").write_text("{}")
    alone = all_of(found)
    assert alone[1] == (12, 8)
    for name in ("adapter_model.bin", "training_args.bin", "scheduler.bin"):
        (found / name).write_bytes(b"never read")
    assert all_of(found) == alone


def test_a_bundle_is_all_its_files_of_weights(tmp_path: Path) -> None:
    found = a_checkpoint(tmp_path / "b")
    (found / "bundle.json").write_text("{}")
    weights = (found / "model.safetensors").stat().st_size
    (found / "openvino_model.xml").write_bytes(b"graph")
    (found / "openvino_model.bin").write_bytes(b"weights")
    assert sizes(found) == (weights + 12, 4) and parameter_counts(found) == (12, 8)
