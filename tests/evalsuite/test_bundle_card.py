"""`bundle.json` and a weights index of any shape: one message that says what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from evalsuite.errors import ModelError
from evalsuite.inference.open_model import open_model
from evalsuite.opening.weight_files import INDEX
from evalsuite.runtimes._bundle import read_card
from tests.support.harmed import write_small

CARD = {
    "format": 1, "runtime": "onnxruntime", "file": "model.onnx", "precision": "int8",
    "labels": ["a", "b"], "layers": 2, "max_length": 32, "architecture": "xlm-roberta 2x8",
    "parameters": 10, "embedding_parameters": 4, "bytes": {"model.onnx": 3},
}  # fmt: skip
WRONG: list[tuple[Any, str]] = [
    ([], "an object"),
    (None, "an object"),
    ("text", "an object"),
    ({}, r"runtime: Field required; .*and 6 more"),
    *((CARD | {key: None}, f"{key}: ") for key in CARD if key != "format"),
    *((CARD | {key: [1]}, rf"{key}[.:]") for key in CARD if key != "format"),
    (CARD | {"layers": "2"}, "layers: .*integer"),
    (CARD | {"layers": -1}, "layers: .*greater"),
    (CARD | {"max_length": 1.5}, "max_length: .*integer"),
    (CARD | {"parameters": True}, "parameters: .*integer"),
    (CARD | {"bytes": {"model.onnx": "3"}}, r"bytes.model.onnx: "),
    (CARD | {"bytes": {"../model.onnx": 3}}, "bytes.*pattern"),
    (CARD | {"file": "../../model.onnx"}, "file: .*pattern"),
    (CARD | {"labels": {"0": "a"}}, "labels: .*array"),
]


def test_a_card_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_card(tmp_path) is None
    (tmp_path / "bundle.json").write_text(json.dumps(CARD | {"made_from": ["x"]}))
    assert read_card(tmp_path) == read_card(tmp_path, "onnxruntime") == CARD | {"made_from": ["x"]}
    assert read_card(tmp_path, "openvino") is None


@pytest.mark.parametrize(("card", "message"), WRONG)
def test_a_card_of_another_shape_is_one_message(tmp_path: Path, card: Any, message: str) -> None:
    (tmp_path / "bundle.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match=message) as found:
        open_model(tmp_path)
    assert "bundle.json does not hold what it should" in str(found.value)


def test_a_card_that_is_no_json_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_bytes(b"\xff{")
    with pytest.raises(ModelError, match=r"bundle.json does not hold"):
        open_model(tmp_path)


@pytest.fixture
def spread(tmp_path: Path) -> Path:
    """A checkpoint in two files and an index."""
    directory = write_small(tmp_path / "nli")
    weights = load_file(directory / "model.safetensors")
    (directory / "model.safetensors").unlink()
    names = {name: f"model-{index % 2}.safetensors" for index, name in enumerate(sorted(weights))}
    for file in set(names.values()):
        own = {name: weights[name] for name in names if names[name] == file}
        save_file(own, directory / file, metadata={"format": "pt"})
    index = {"metadata": {"total_size": 1}, "weight_map": names}
    (directory / INDEX).write_text(json.dumps(index))
    return directory


def test_a_checkpoint_in_several_files_opens(spread: Path) -> None:
    assert open_model(spread).layers == 2


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ([], "an object"),
        (None, "an object"),
        ({}, "weight_map: Field required"),
        ({"metadata": None}, "metadata: .*object"),
        ({"weight_map": []}, "weight_map: .*object"),
        ({"weight_map": {}}, "weight_map: .*at least 1"),
        ({"weight_map": {"classifier.dense.bias": 1}}, "weight_map.*string"),
        ({"weight_map": {"classifier.dense.bias": "../x.safetensors"}}, "weight_map.*pattern"),
        ({"weight_map": {"classifier.dense.bias": "x.safetensors"}}, "no such file"),
        ({"weight_map": {"classifier.dense.bias": "model-0.safetensors"}}, "missing: "),
    ],
)
def test_an_index_of_another_shape_is_one_message(spread: Path, index: Any, message: str) -> None:
    whole = {"metadata": {}} | index if isinstance(index, dict) else index
    (spread / INDEX).write_text(json.dumps(whole))
    with pytest.raises(ModelError, match=message):
        open_model(spread)
