"""What tests share is made once, is whole, and is made anew for another model."""

from __future__ import annotations

import os
from pathlib import Path

import made_once as module
import pytest
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


def test_equal_weights_share_a_graph_and_other_weights_do_not(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced = []
    monkeypatch.setattr(graph, "trace", lambda *_, **how: traced.append(how) or _NoGraph())
    monkeypatch.setattr(module, "_copied", lambda kept: kept)
    module.trace_once(monkeypatch)
    model = load_checkpoint(headed(tiny_base, "tagging", tmp_path / "tagger"))
    how = {"choices": False, "whole": False}
    for precision in ("fp32", "int8"):  # one graph for both
        graph.trace(model, "onnxruntime", precision=precision, **how)
    assert len(traced) == 1
    graph.trace(model, "onnxruntime", precision="fp32", choices=False, whole=True)
    for precision in ("fp32", "bf16"):  # OpenVINO stores bf16's weights in fp16
        graph.trace(model, "openvino", precision=precision, **how)
    assert len(traced) == 4
    model.classifier.bias.data[0] += 1
    graph.trace(model, "onnxruntime", precision="fp32", **how)
    assert len(traced) == 5


class _NoGraph:
    """Stands for a traced graph."""
