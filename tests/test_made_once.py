"""What tests share is made once, is whole, and is made anew for another model."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import made_once as module
import onnxruntime
import pytest
import torch
import trace_once
from heads import headed
from made_once import made_once

from compress.export import graph
from evalsuite.runtimes.torch import load_checkpoint


def test_a_folder_is_made_once_and_never_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", tmp_path)
    calls = []

    def make(out: Path) -> None:
        assert not out.exists()
        out.mkdir()
        (out / "model").write_text("whole" if calls else "half")
        calls.append(out)
        if len(calls) == 1:
            raise OSError("stopped")

    with pytest.raises(OSError, match="stopped"):
        made_once("tiny", make)
    folder = made_once("tiny", make)
    assert made_once("tiny", make) == folder and len(calls) == 2
    assert (folder / "model").read_text() == "whole"
    assert folder.relative_to(tmp_path).parts == (module.source_digest(), "tiny")


def test_digests_are_dropped_but_for_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", tmp_path)
    for age, digest in enumerate("abcde"):
        monkeypatch.setattr(module, "source_digest", lambda digest=digest: digest)
        made_once("tiny", lambda out: out.mkdir())
        for earlier in "abcde"[: age + 1]:
            if (tmp_path / earlier).is_dir():
                os.utime(tmp_path / earlier, (ord(earlier), ord(earlier)))
    assert {path.name for path in tmp_path.iterdir()} == {"c", "d", "e"}


HOW: dict[str, Any] = {"choices": False, "precision": "fp32", "whole": False}


@pytest.fixture
def names(traces: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the graphs that are asked for."""
    asked: list[str] = []

    def noted(name: str, make: Callable[[Path], object]) -> Path:
        asked.append(name)
        return made_once(name, make)

    monkeypatch.setattr(trace_once, "made_once", noted)
    return asked


@pytest.mark.slow
def test_models_of_one_shape_share_a_graph_and_keep_their_weights(
    tiny_base: Path, tmp_path: Path, names: list[str]
) -> None:
    model = load_checkpoint(headed(tiny_base, "tagging", tmp_path / "tagger"))
    ids = torch.tensor([[0, 9, 11, 30, 2]])
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    feeds = {name: tensor.numpy() for name, tensor in inputs.items()}
    for number in range(2):
        traced = graph.trace(model, "onnxruntime", **HOW)
        file = tmp_path / str(number) / traced.save(traced.program, tmp_path / str(number))
        found = onnxruntime.InferenceSession(file).run(["logits"], feeds)[0]
        with torch.no_grad():
            assert found == pytest.approx(model(**inputs).logits.numpy(), abs=1e-4)
            for parameter in model.parameters():
                parameter += 0.1 * torch.randn(parameter.shape)
    assert names[0] == names[1]


def test_other_shapes_and_settings_get_another_graph(
    tiny_base: Path, tmp_path: Path, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_once, "_read", lambda *_: None)
    monkeypatch.setattr(trace_once, "_keep", lambda traced, random, out: _marked(out))
    monkeypatch.setattr(module, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(graph, "trace", lambda *_, **how: None)
    trace_once.trace_once(monkeypatch)
    tagger, pair = (
        load_checkpoint(headed(tiny_base, head, tmp_path / head)) for head in ("tagging", "pair")
    )
    for precision in ("fp32", "int8"):  # one graph for both
        graph.trace(tagger, "onnxruntime", **HOW | {"precision": precision})
    assert len(set(names)) == 1
    graph.trace(pair, "onnxruntime", **HOW)
    graph.trace(pair, "onnxruntime", **HOW | {"whole": True})
    for precision in ("fp32", "bf16"):  # OpenVINO stores bf16's weights in fp16
        graph.trace(tagger, "openvino", **HOW | {"precision": precision})
    assert len(set(names)) == 5


def _marked(out: Path) -> None:
    out.mkdir()
    (out / trace_once.SHARED).touch()
