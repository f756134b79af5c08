"""Adapters as plain peft leaves them, and adapter files of any shape."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

from compress.errors import FuseError
from compress.fuse import combine, fuse
from compress.fuse.fuse import Mix, Target
from evalsuite.errors import ModelError, NotFiniteError
from evalsuite.inference.open_model import open_model
from evalsuite.inference.predictor import Predictor
from evalsuite.inference.probe_text import Probe
from evalsuite.opening.hub import HubId
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from recipes.hashing import DigestMemo
from recipes.planning.external_models import External
from recipes.stages._shared.adapter_task import with_task
from tests.support.harmed import change_json, write_small
from transfer.errors import AdapterError
from transfer.models.adapters import Adapter, open_adapter

XNLI = TASKS.get("xnli")
IDS = np.array([[0, 5, 6, 2, 2, 9, 2], [0, 11, 7, 2, 2, 30, 2]])
TURNED = ("contradiction", "entailment", "neutral")
QUERY = "base_model.model.roberta.encoder.layer.0.attention.self.query.lora_A.weight"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write_small(tmp_path / "base")


def _adapter(base: Path, out: Path) -> Path:
    """What `save_pretrained` of peft writes: an adapter and its head, and no training.json."""
    model = transformers.AutoModelForSequenceClassification.from_pretrained(base)
    config = LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["query", "value"])
    wrapped = get_peft_model(model, config)
    torch.manual_seed(1)
    for name, weight in wrapped.named_parameters():
        if "lora_B" in name or "modules_to_save" in name:
            torch.nn.init.normal_(weight, std=0.5)
    wrapped.save_pretrained(out)
    return out


@pytest.fixture
def plain(base: Path, tmp_path: Path) -> Path:
    return _adapter(base, tmp_path / "plain")


def _right(base: Path, adapter: Path) -> np.ndarray:
    """Logits of plain transformers and peft."""
    model = transformers.AutoModelForSequenceClassification.from_pretrained(base)
    with torch.inference_mode():
        wrapped = PeftModel.from_pretrained(model, adapter).eval()
        logits: np.ndarray = wrapped(torch.from_numpy(IDS)).logits.numpy()
    return logits


def _logits(model: Predictor) -> np.ndarray:
    return model(IDS, np.ones_like(IDS), ("logits",))["logits"]


def test_a_plain_adapter_gives_what_peft_gives(base: Path, plain: Path, tmp_path: Path) -> None:
    live = open_adapter(plain, XNLI)
    assert live.labels == XNLI.labels
    np.testing.assert_allclose(_logits(live), _right(base, plain), atol=1e-5)
    fuse.fuse(plain, XNLI, tmp_path / "fused")
    np.testing.assert_allclose(_logits(open_model(tmp_path / "fused")), _logits(live), atol=1e-5)
    mix = Mix((plain,), (0.5, 0.5), combine.How())
    fuse.fuse(plain, XNLI, tmp_path / "mixed", mix=mix)
    np.testing.assert_allclose(_logits(open_model(tmp_path / "mixed")), _logits(live), atol=1e-5)


def test_its_head_has_the_labels_of_its_base(tmp_path: Path) -> None:
    names = {"id2label": dict(enumerate(TURNED)), "label2id": {n: i for i, n in enumerate(TURNED)}}
    base = write_small(tmp_path / "base", **names)
    plain = _adapter(base, tmp_path / "plain")
    live = open_adapter(plain, XNLI)
    assert live.labels == TURNED
    np.testing.assert_allclose(_logits(live), _right(base, plain), atol=1e-5)
    fuse.fuse(plain, XNLI, tmp_path / "fused")
    fused = open_model(tmp_path / "fused")
    assert fused.labels == TURNED
    np.testing.assert_allclose(_logits(fused), _logits(live), atol=1e-5)
    probe = Probe(XNLI, DataSource("embedded"), 4)
    rounded = fuse.fuse(
        plain, XNLI, tmp_path / "rounded", target=Target(rounded_to="int8"), probe=probe
    )
    assert rounded.drift["requantized"].maximum < 0.3  # of the same labels
    np.testing.assert_allclose(_logits(open_model(tmp_path / "rounded")), _logits(live), atol=0.3)


def test_a_base_without_a_head_is_enough(base: Path, plain: Path, tmp_path: Path) -> None:
    expected = _right(base, plain)
    encoder = write_small(tmp_path / "encoder", "Model")
    stored = load_file(base / "model.safetensors")
    body = {
        name.removeprefix("roberta."): value
        for name, value in stored.items()
        if name.startswith("roberta.")
    }
    save_file(body, encoder / "model.safetensors", metadata={"format": "pt"})
    name = {"base_model_name_or_path": str(encoder)}
    change_json(plain / "adapter_config.json", lambda config: config.update(name))
    np.testing.assert_allclose(_logits(open_adapter(plain, XNLI)), expected, atol=1e-5)


def test_its_base_is_part_of_what_enters_the_cache_key(base: Path, plain: Path) -> None:
    adapter, memo = External.find(str(plain)), DigestMemo()
    before = adapter.digest(memo)
    assert adapter.digest(memo) == before
    change_json(base / "config.json", lambda config: config.update(layer_norm_eps=1e-3))
    after = adapter.digest(DigestMemo())
    assert after != before
    shutil.rmtree(base)
    assert adapter.digest(DigestMemo()) not in (before, after)


def test_its_task_is_named_by_a_key(plain: Path) -> None:
    artifact = External.find(str(plain)).artifact
    assert artifact.task is None
    assert with_task(artifact, "xnli").task == "xnli"
    with pytest.raises(AdapterError, match="adapter_task: xnli"):
        open_adapter(plain, None)


def test_a_base_of_the_hub_is_found_there(
    base: Path, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[HubId] = []
    monkeypatch.setattr(HubId, "download", lambda hub: (asked.append(hub), base)[1])
    name = {"base_model_name_or_path": "some/encoder", "revision": "abc"}
    change_json(plain / "adapter_config.json", lambda config: config.update(name))
    assert Adapter.read(plain).base == base
    assert asked == [HubId("some/encoder", "abc")]


@pytest.mark.parametrize("name", ["/gone/encoder", "./gone", "a/b/c", "gone"])
def test_a_base_that_is_gone_is_named(plain: Path, name: str) -> None:
    change = {"base_model_name_or_path": name}
    change_json(plain / "adapter_config.json", lambda config: config.update(change))
    with pytest.raises(AdapterError, match=f"the base of .* is gone: {name}"):
        Adapter.read(plain)


SHAPES = {
    "no JSON": ("{", "does not hold what it should"),
    "list": ("[1, 2]", "an object"),
    "null": ("null", "an object"),
    "empty": ("{}", r"base_model_name_or_path: Field required; peft_type: Field required"),
}
KEYS: list[tuple[str, Any, str]] = [
    ("base_model_name_or_path", None, "base_model_name_or_path: "),
    ("base_model_name_or_path", "", "base_model_name_or_path: "),
    ("base_model_name_or_path", ["x"], "base_model_name_or_path: "),
    ("peft_type", None, "peft_type: "),
    ("peft_type", 3, "peft_type: "),
    ("peft_type", "UNHEARD_OF", "UNHEARD_OF"),
    ("r", "8", "r: .*integer"),
    ("r", 0, "r: .*greater"),
    ("r", 3, r"of another shape: .*\[2, 8\] instead of \[3, 8\]|does not open as an adapter"),
    ("target_modules", ["query"], "not expected: .*value"),
    ("target_modules", ["nothing"], "does not open as an adapter: No modules were targeted"),
    ("target_modules", 3, "does not open as an adapter"),
    ("modules_to_save", None, "not expected: .*classifier|does not open"),
    ("use_dora", True, "missing: .*magnitude"),
    ("lora_alpha", "x", "lora_alpha: "),
    ("init_lora_weights", {}, "."),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_config_of_another_shape_is_one_message(plain: Path, shape: str) -> None:
    text, message = SHAPES[shape]
    (plain / "adapter_config.json").write_text(text)
    for opening in (lambda: External.find(str(plain)), lambda: open_adapter(plain, XNLI)):
        with pytest.raises(ModelError, match=message):
            opening()


@pytest.mark.parametrize(("key", "value", "message"), KEYS)
def test_a_wrong_value_is_one_message(
    plain: Path, tmp_path: Path, key: str, value: Any, message: str
) -> None:
    right = _logits(open_adapter(plain, XNLI))
    change_json(plain / "adapter_config.json", lambda config: config.update({key: value}))
    errors = (ModelError, AdapterError, FuseError)
    for opening in (
        lambda: open_adapter(plain, XNLI),
        lambda: fuse.fuse(plain, XNLI, tmp_path / "out") and open_model(tmp_path / "out"),
    ):
        try:
            found = _logits(opening())
        except errors as error:
            assert re.search(message, str(error)), str(error)
        else:
            np.testing.assert_allclose(found, right, atol=1e-5)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:700])


def _change(change: Any) -> Any:
    def write(path: Path) -> None:
        weights = load_file(path)
        change(weights)
        save_file(weights, path, metadata={"format": "pt"})

    return write


WEIGHTS = {
    "gone": (Path.unlink, "is not a whole safetensors file"),
    "empty": (lambda path: path.write_bytes(b""), "is not a whole safetensors file"),
    "cut": (_cut, "is not a whole safetensors file"),
    "one missing": (_change(lambda w: w.pop(QUERY)), f"missing: {QUERY}"),
    "renamed": (_change(lambda w: w.update(x=w.pop(QUERY))), "not expected: x"),
    "misshapen": (_change(lambda w: w.update({QUERY: torch.zeros(3, 8)})), "does not open as"),
    "infinite": (_change(lambda w: w[QUERY].fill_(torch.inf)), "NaN or infinite"),
}


@pytest.mark.parametrize("harm", WEIGHTS)
def test_weights_of_another_shape_are_one_message(plain: Path, tmp_path: Path, harm: str) -> None:
    change, message = WEIGHTS[harm]
    change(plain / "adapter_model.safetensors")
    mix = Mix((plain,), (0.5, 0.5), combine.How())
    for opening in (
        lambda: open_adapter(plain, XNLI),
        lambda: fuse.fuse(plain, XNLI, tmp_path / "out"),
    ):
        with pytest.raises((ModelError, NotFiniteError), match=message):
            opening()
    with pytest.raises((ModelError, FuseError)):
        fuse.fuse(plain, XNLI, tmp_path / "out", mix=mix)


@pytest.mark.parametrize("text", ["[]", "{", '{"task": 3}', '{"base_precision": "fp8"}', "null"])
def test_a_training_record_of_another_shape_is_one_message(plain: Path, text: str) -> None:
    (plain / "training.json").write_text(text)
    for opening in (lambda: External.find(str(plain)), lambda: open_adapter(plain, XNLI)):
        with pytest.raises(ModelError, match=r"training.json does not hold"):
            opening()


def test_a_written_record_is_read(plain: Path) -> None:
    (plain / "training.json").write_text(json.dumps({"task": "xnli", "base_precision": "fp32"}))
    assert External.find(str(plain)).artifact.task == "xnli"
    assert Adapter.read(plain).recorded
