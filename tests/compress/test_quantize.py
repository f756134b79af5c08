"""Precisions: what is stored how, what is calibrated on what, what is stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compress.errors import CalibrationError, GateError
from compress.export.calibration_text import Calibration
from compress.export.export import export
from compress.export.exporter import Quantizing, Rounding, Weights
from compress.export.graph import ExportOptions
from compress.export.quantize import quantize
from compress.export.trace import Traced
from evalsuite.inference.open_model import open_model
from evalsuite.inference.probe_text import Probe
from evalsuite.inference.session import Session
from evalsuite.registry import TASKS
from evalsuite.runtimes._openvino import openvino
from evalsuite.runtimes.openvino import OpenVinoPredictor
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from transfer.models.checkpoints import copy_tokenizer

EMBEDDED = DataSource("embedded")
TEXT = Calibration(TASKS.get("panx"), EMBEDDED, 4)
PROBE = Probe(TASKS.get("panx"), EMBEDDED, 4)


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


@pytest.mark.parametrize("size", [16, 64])
def test_groups_are_of_products_alone(size: int, traced: Traced) -> None:
    """Tables are int8 until the word embeddings are stored in int4 rows, with a scale each."""
    program = quantize(traced, Quantizing("int4-weights", weights=Weights("group", 4, size)))
    assert operators(program).count("MatMulNBits") == 13
    assert {str(kind) for kind in tables(program).values()} <= {"uint8", "int8"}


def test_int4_can_reach_whole_tensors(traced: Traced) -> None:
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
    """One hidden dimension is large, as in trained encoders, so some weights matter more."""
    model = load_checkpoint(tagger)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "output.LayerNorm" in name:
                weight[3] *= 8
    model.save_pretrained(tmp_path / "tagger")
    copy_tokenizer(tagger, tmp_path / "tagger")
    changes = {}
    for how in ("nearest", rounding):
        options = ExportOptions(TEXT, weights=Weights(rounding=how))
        result, _ = export(
            tmp_path / "tagger",
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
