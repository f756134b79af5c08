"""Precisions: what is stored how, what is calibrated on what, what is left out, what is stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from heads import headed
from onnx import numpy_helper

from compress.errors import CalibrationError, ExcludeError, GateError
from compress.export import graph, sensitivity
from compress.export.calibration_text import Calibration, samples
from compress.export.export import export
from compress.export.exporter import Quantizing, Rounding, Weights
from compress.export.graph import ExportOptions
from compress.export.quantize import quantize
from compress.export.trace import Traced
from evalsuite.data import parallel
from evalsuite.find_family import named
from evalsuite.formats import pair
from evalsuite.inference.open_model import open_model
from evalsuite.inference.probe_text import Probe
from evalsuite.inference.session import Session
from evalsuite.registry import TASKS
from evalsuite.results.run import StageRecord
from evalsuite.runtimes._openvino import openvino
from evalsuite.runtimes.openvino import OpenVinoPredictor
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages._shared.contract import HELD_OUT, PARALLEL, Artifact, DataNeed
from recipes.stages._shared.lineage import made_from
from recipes.stages.export import Config, check, data

EMBEDDED = DataSource("embedded")
TEXT = Calibration(TASKS.get("panx"), EMBEDDED, 4)
PROBE = Probe(TASKS.get("panx"), EMBEDDED, 4)


@pytest.fixture(scope="module")
def tagger(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return headed(tiny_base, "tagging", tmp_path_factory.mktemp("tagger"))


@pytest.fixture(scope="module")
def traced(tagger: Path) -> Traced:
    """ONNX Runtime's graph; quantizing leaves it as it is."""
    model = load_checkpoint(tagger)
    return graph.trace(model, "onnxruntime", choices=False, precision="fp32", whole=False)


def tables(program: Any) -> dict[str, np.dtype[Any]]:
    """Type of the array each `Gather` of rows reads, by name."""
    gathers = [n for n in program.graph if n.op_type in ("Gather", "GatherBlockQuantized")]
    return {
        node.name: value.const_value.numpy().dtype
        for node in gathers
        if (value := node.inputs[0]) and value.const_value is not None and value.shape.rank() == 2
    }


def operators(program: Any) -> list[str]:
    return [node.op_type for node in program.graph]


def bytes_a_weight(bundle: Path) -> float:
    """Of the files that hold weights; fp32 has 4."""
    card = json.loads((bundle / "bundle.json").read_text())
    held = sum(p.stat().st_size for p in bundle.iterdir() if p.suffix in (".bin", ".data"))
    return held / float(card["parameters"])


def test_int8_weights_are_blocks_and_the_table_is_int8(traced: Traced) -> None:
    program = quantize(traced, Quantizing("int8-weights"))
    assert operators(program).count("MatMulNBits") == 13  # six a layer, and the head
    assert {str(kind) for kind in tables(program).values()} <= {"uint8", "int8"}
    widths = [n.attributes["bits"].value for n in program.graph if n.op_type == "MatMulNBits"]
    assert set(widths) == {8}
    whole = [
        value.name
        for value in program.graph.initializers.values()
        if value.const_value.dtype.name == "FLOAT" and value.const_value.size >= 64 * 64
    ]
    assert not whole


def rounding(traced: Traced, precision: str, size: int) -> float:
    """Relative squared error of the first layer's query weights, decoded from their groups."""
    program = quantize(traced, Quantizing(precision, weights=Weights(group=size)))
    node = next(n for n in program.graph if n.op_type == "MatMulNBits")
    assert node.attributes["block_size"].value == size
    rows, columns = (node.attributes[name].value for name in ("N", "K"))
    codes, scales, zeros = (value.const_value.numpy() for value in node.inputs[1:4])
    assert scales.size == rows * columns // size
    if precision == "int4-weights":
        codes, zeros = (
            np.stack([a & 15, a >> 4], -1).reshape(*a.shape[:-1], -1) for a in (codes, zeros)
        )
    groups = codes.reshape(rows, columns // size, size).astype(np.float32)
    zeros = zeros.reshape(rows, -1)[:, : columns // size, None].astype(np.float32)
    decoded = ((groups - zeros) * scales.reshape(rows, -1, 1)).reshape(rows, columns)
    whole = next(
        value.const_value.numpy()
        for node in traced.program.graph
        if node.op_type == "MatMul" and (value := node.inputs[1]) and value.const_value is not None
    ).T
    return float(((decoded - whole) ** 2).sum() / (whole**2).sum())


def test_smaller_groups_round_less(traced: Traced) -> None:
    errors = [rounding(traced, "int4-weights", size) for size in (16, 32, 64)]
    assert errors[0] < errors[1] < errors[2] < 0.05
    assert rounding(traced, "int8-weights", 16) < rounding(traced, "int8-weights", 64) < 1e-3


def test_int4_can_reach_the_embeddings_and_whole_tensors(traced: Traced) -> None:
    blocks = operators(quantize(traced, Quantizing("int4-weights", weights=Weights("group", 4))))
    assert blocks.count("GatherBlockQuantized") == 3 and "MatMulNBits" in blocks
    program = quantize(traced, Quantizing("int4-weights", weights=Weights("tensor", 4)))
    decoded = [n for n in program.graph if n.op_type == "DequantizeLinear"]
    assert len(decoded) == 16  # 12 of the layers, the head, three tables
    for node in decoded:
        assert node.inputs[0].const_value.dtype.name == "INT4"
        assert node.inputs[1].const_value.size == 1
    assert "DequantizeLinear" not in operators(traced.program)  # the traced one is as it was


def test_openvino_int8_quantizes_products_and_stores_the_table_in_int8(
    tagger: Path, tmp_path: Path
) -> None:
    result, _ = export(
        tagger,
        tmp_path,
        runtime="openvino",
        precision="int8",
        options=ExportOptions(TEXT),
        probe=PROBE,
        min_agreement=95.0,
    )
    assert result is not None and result.agreement >= 95.0
    assert bytes_a_weight(tmp_path) < 1.3
    model = openvino.Core().read_model(tmp_path / "openvino_model.xml")
    found = [node for node in model.get_ordered_ops() if node.get_type_name() == "Gather"]
    rows = [n for n in found if "embedding" in n.get_friendly_name()]
    assert len(rows) == 3
    for node in rows:
        scaled = node.input_value(0).get_node()
        stored = scaled.input_value(0).get_node().input_value(0)
        assert scaled.get_type_name() == "Multiply"
        assert stored.get_element_type().get_type_name() in ("i8", "u8")
    opened = open_model(tmp_path, threads=1)
    assert isinstance(opened, OpenVinoPredictor)
    assert opened.precision == opened.describe("b").precision == "int8"
    (compiled,) = opened.graph.compiled.values()
    notes = [op.get_rt_info() for op in compiled.get_runtime_model().get_ops()]
    products = [
        n["runtimePrecision"].value for n in notes if n["layerType"].value == "FullyConnected"
    ]
    assert set(products) <= {"i8", "u8"} and len(products) >= 12


@pytest.mark.parametrize(
    ("runtime", "precision"),
    [
        ("onnxruntime", "int8-static"),
        ("onnxruntime", "int4-weights"),
        ("openvino", "int8-weights"),
        ("openvino", "int4-weights"),
    ],
)
def test_a_bundle_keeps_most_labels_in_a_third_of_the_bytes(
    runtime: str, precision: str, tagger: Path, tmp_path: Path
) -> None:
    result, _ = export(
        tagger,
        tmp_path,
        runtime=runtime,
        precision=precision,
        options=ExportOptions(TEXT),
        probe=PROBE,
        min_agreement=85.0,
    )
    assert result is not None and result.maximum > 0  # something was rounded
    assert bytes_a_weight(tmp_path) < 1.3
    assert open_model(tmp_path).precision == precision
    needle = str(Path(__file__).resolve().parents[2]).encode()
    assert not [p.name for p in tmp_path.iterdir() if needle in p.read_bytes()]


@pytest.mark.parametrize("rounding", ["gptq", "scale-estimation"])
def test_rounding_by_text_changes_outputs_less(
    rounding: Rounding, tagger: Path, tmp_path: Path
) -> None:
    changes = {}
    for how in ("nearest", rounding):
        options = ExportOptions(TEXT, weights=Weights(rounding=how))
        result, _ = export(
            tagger,
            tmp_path / how,
            runtime="openvino",
            precision="int4-weights",
            options=options,
            probe=PROBE,
            min_agreement=0.0,
        )
        assert result is not None
        changes[how] = result.mean
    assert changes[rounding] < changes["nearest"]


def test_what_takes_calibration_text_says_so(tagger: Path, tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="openvino int8 needs calibration text"):
        export(tagger, tmp_path, runtime="openvino", precision="int8")
    options = ExportOptions(weights=Weights(rounding="gptq"))
    with pytest.raises(CalibrationError, match="openvino int4-weights needs calibration text"):
        export(tagger, tmp_path, runtime="openvino", precision="int4-weights", options=options)


def test_the_gate_stops_a_bad_setting_and_says_where(tagger: Path, tmp_path: Path) -> None:
    with pytest.raises(GateError) as stopped:
        export(
            tagger,
            tmp_path,
            precision="int4-weights",
            options=ExportOptions(weights=Weights("tensor", 4)),
            probe=PROBE,
            min_agreement=99.0,
        )
    first, second, third, last = str(stopped.value).splitlines()
    assert first.startswith("int4-weights export: ") and first.endswith("asks for 99%")
    session = Session(open_model(tagger))
    languages = PROBE.sequences(session.tokenizer, 62)
    assert second.split()[2] in languages and second.startswith("worst language: ")
    assert third.startswith("layers that add most to the drift of hidden states: embeddings +")
    assert "layer 0 +" in third and last.startswith("lower min_agreement")


# -- what is left in fp32 ---------------------------------------------------------------------


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


# -- calibration text -------------------------------------------------------------------------


def test_calibration_text_is_not_what_is_scored(tagger: Path) -> None:
    session = Session(open_model(tagger))
    task = TASKS.get("xnli")
    text = Calibration(task, EMBEDDED, 6).sequences(session.tokenizer, 62)
    assert "en" in text and len(text) == 11 and {len(items) for items in text.values()} == {6}
    lines = [p.foreign for p in list(parallel.pairs(EMBEDDED, "de"))[:6]]
    joined = [session.tokenizer.encode(a, b).ids for a, b in pairwise(lines)]
    assert [item.ids for item in text["de"][:5]] == joined  # two sentences, as the task's rows
    scored = {row.first for code in text for row in task.load(EMBEDDED, "test", code)}
    assert not scored & set(lines)
    train = Calibration(task, EMBEDDED, 5, "train").sequences(session.tokenizer, 62)
    rows = task.load(EMBEDDED, "train", "en")
    assert train["en"][0].ids == pair.encode(session.tokenizer, rows[:1], 62)[0].ids
    assert len(train["en"]) == 5 and list(train) == ["en"]
    (sample, *_) = samples(train, choices=True)
    assert sample["input_ids"].shape == (1, 1, len(train["en"][0].ids))


def config(**keys: Any) -> Config:
    return Config.model_validate({"name": "e", "stage": "export", "model": "./m"} | keys)


MODEL = {"model": (Artifact("checkpoint", task="xnli"),)}


def test_calibration_text_is_part_of_the_key() -> None:
    def needs(**keys: Any) -> set[DataNeed]:
        found = config(**keys)
        return set(data(found, check(found, MODEL)))

    plain = needs(precision="int8")
    assert plain == {DataNeed("xnli", "eval")}
    for keys in (
        {"runtime": "openvino", "precision": "int8"},
        {"precision": "int8-static"},
        {"precision": "int8", "exclude": "auto"},
    ):
        assert needs(**keys) - plain == {PARALLEL, HELD_OUT}
        assert needs(**keys, calibration_text="train") - plain == {
            DataNeed("xnli", "train", ("en",))
        }
    assert needs(runtime="openvino", precision="int8-weights") == plain
    assert needs(precision="int8", exclude=["head"]) == plain


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"precision": "fp32", "exclude": "auto"},
            "exclude: only for runtime: onnxruntime with",
        ),
        ({"precision": "int8", "max_drop": 1}, "max_drop: only with exclude: auto"),
        (
            {"runtime": "openvino", "precision": "int4-weights", "embeddings": "rank-8"},
            "openvino int4-weights takes int8, int4; for rank-8 set runtime: onnxruntime with",
        ),
        (
            {"precision": "int8-weights", "scales": "tensor"},
            "scales: tensor only for runtime: onnx",
        ),
        (
            {"precision": "int4-weights", "scales": "tensor"},
            "scales: tensor needs embeddings: int4",
        ),
        (
            {"precision": "int8", "group_size": 16},
            "group_size: only for runtime: onnxruntime with precision: int8-weights or "
            "int4-weights, or runtime: openvino with precision: int4-weights",
        ),
        (
            {
                "precision": "int4-weights",
                "embeddings": "int4",
                "scales": "tensor",
                "group_size": 16,
            },
            "group_size: not with scales: tensor",
        ),
        (
            {"precision": "int4-weights", "rounding": "gptq"},
            "rounding: gptq only for runtime: openvino with precision: int4-weights",
        ),
        (
            {"precision": "int8-static", "calibration_text": "train", "probe_task": "tatoeba"},
            "calibration_text: the probe task has no training rows",
        ),
    ],
)
def test_keys_that_do_not_go_together_are_refused(keys: dict[str, Any], said: str) -> None:
    inputs = {"model": (Artifact("checkpoint", external=True),)}
    with pytest.raises(StageInputError, match=said):
        check(config(**keys), inputs)


def test_without_nncf_one_is_told_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "evalsuite.runtimes._extras.find_spec", lambda name: None if name == "nncf" else True
    )
    said = r"nncf is not installed; type: pip install 'lingopress\[openvino\]'"
    for runtime, precision in (("openvino", "int8"), ("onnxruntime", "int8-static")):
        with pytest.raises(StageInputError, match=said):
            check(config(runtime=runtime, precision=precision), MODEL)
    assert check(config(runtime="openvino", precision="bf16"), MODEL).kind == "bundle"


def test_a_card_says_what_a_checkpoint_was_made_from() -> None:
    def record(kind: str, name: str, inputs: tuple[str, ...], **config: Any) -> StageRecord:
        return StageRecord(
            name=name,
            kind=kind,
            key="",
            inputs=inputs,
            config=config,
            summary={},
            seconds=0,
            output_bytes=0,
            finished="",
        )

    steps = made_from(
        [
            record("train", "a", ("org/xlm-r@1",), tasks=["mnli"], method="lora", precision="nf4"),
            record("fuse", "b", ("a",)),
            record("trim", "c", ("b", "/home/me/other"), languages=["de"]),
        ]
    )
    assert steps == ["train (mnli, lora, nf4) of org/xlm-r@1", "fuse", "trim of a local directory"]
