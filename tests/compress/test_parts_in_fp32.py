"""Parts of a model that stay in fp32: which there are, and which lose most."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from compress.errors import ExcludeError
from compress.export import sensitivity
from compress.export.calibration_text import Calibration
from compress.export.export import export
from compress.export.graph import ExportOptions
from compress.export.trace import Traced
from evalsuite.find_family import named
from evalsuite.inference.probe_text import Probe
from evalsuite.registry import TASKS
from evalsuite.task import DataSource

EMBEDDED = DataSource("embedded")
TEXT = Calibration(TASKS.get("panx"), EMBEDDED, 4)
PROBE = Probe(TASKS.get("panx"), EMBEDDED, 4)


def test_parts_are_layers_halves_the_embeddings_and_the_head(traced: Traced) -> None:
    parts = sensitivity.groups(traced.program, named("xlm-roberta"))
    assert {name: len(nodes) for name, nodes in parts.items()} == {
        "embeddings": 3,
        "layer 0 attention": 4,
        "layer 0 feed-forward": 2,
        "layer 1 attention": 4,
        "layer 1 feed-forward": 2,
        "head": 1,
    }
    assert sensitivity.nodes(parts, ["head"]) == list(parts["head"])
    with pytest.raises(ExcludeError, match=r"no part 'layer 9'\nparts: embeddings, layer 0 at"):
        sensitivity.nodes(parts, ["layer 9"])


def test_the_fewest_parts_are_left_out_by_what_they_lose() -> None:
    drops = {"a": 1.0, "b": 5.0, "c": 0.0, "d": 3.0}
    asked = []

    def lost(left_out: tuple[str, ...]) -> float:
        asked.append(left_out)
        return sum(drops[name] for name in drops if name not in left_out)

    assert sensitivity.fewest(drops, 9.0, lost) == ()
    assert sensitivity.fewest(drops, 4.0, lost) == ("b",)
    assert sensitivity.fewest(drops, 1.0, lost) == ("b", "d")
    assert asked[-1] == ("b", "d") and ("b", "d", "a") not in asked
    assert sensitivity.fewest(drops, -1.0, lost) == ("b", "d", "a", "c")
    assert sensitivity.ranked({"x": 1.0, "y": 1.0}) == ["x", "y"]


def floats(path: Path) -> Iterator[tuple[int, ...]]:
    """Shapes of the matrices a graph keeps in fp32."""
    model = onnx.load(str(path))
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype == np.float32 and array.ndim == 2:
            yield array.shape


def test_what_loses_most_stays_in_fp32(tagger: Path, tmp_path: Path) -> None:
    _, facts = export(
        tagger,
        tmp_path / "auto",
        precision="int8",
        options=ExportOptions(TEXT, "auto", max_drop=0.0),
        probe=PROBE,
    )
    card = json.loads((tmp_path / "auto" / "bundle.json").read_text())
    alone = card["lost_alone"]
    halves = [f"layer {k} {half}" for k in (0, 1) for half in ("attention", "feed-forward")]
    assert list(alone) == ["embeddings", *halves, "head"]
    assert max(alone.values()) > 0 and card["excluded"]
    assert card["excluded"] == sensitivity.ranked(alone)[: len(card["excluded"])]
    assert facts["excluded"] == ", ".join(card["excluded"])
    first = sensitivity.ranked(alone)[0]
    assert str(facts["most lost alone"]).startswith(f"{first} {alone[first]:.2f}%")
    assert not [p for p in (tmp_path / "auto").iterdir() if p.is_dir()]  # nothing measured is left
    _, plain = export(tagger, tmp_path / "plain", precision="int8")
    export(
        tagger,
        tmp_path / "named",
        precision="int8",
        options=ExportOptions(exclude=("layer 1 feed-forward",)),
    )
    assert not list(floats(tmp_path / "plain" / "model.onnx"))
    assert sorted(floats(tmp_path / "named" / "model.onnx")) == [(64, 128), (128, 64)]
    assert plain["MB"] < facts["MB"]
    readme = (tmp_path / "named" / "README.md").read_text()
    assert "- parts that stay in fp32: layer 1 feed-forward\n" in readme
