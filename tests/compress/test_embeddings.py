"""Smaller word embeddings: what rows and factors keep, and the graphs that look them up."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from embedding_tables import BYTES, table_of
from hypothesis import given
from hypothesis import strategies as st

from compress.errors import EmbeddingsError
from compress.export import embedding_storage, low_rank
from compress.export.bundle import write_card
from compress.export.embedding_storage import Form, rewrite
from compress.export.export import export
from evalsuite import tokenization
from evalsuite.agreement import outputs
from evalsuite.inference.open_model import BUNDLE_FILE, open_model
from evalsuite.inference.probe_text import sample
from evalsuite.inference.session import Session
from evalsuite.machine import model_size
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from transfer.precision import row_codes

EMBEDDED = DataSource("embedded")


def random_table(rows: int = 50, width: int = 16, seed: int = 0) -> np.ndarray:
    """Rows of very different sizes."""
    rng = np.random.default_rng(seed)
    sizes = rng.uniform(0.01, 5, (rows, 1))
    return (rng.normal(size=(rows, width)) * sizes).astype(np.float32)


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 1000))
def test_eight_bits_are_off_by_half_a_scale_at_most(rows: int, width: int, seed: int) -> None:
    table = random_table(rows, width, seed)
    codes, scales = row_codes.quantize_rows(table, 8)
    assert codes.dtype == np.int8 and codes.shape == table.shape and scales.shape == (rows, 1)
    error = np.abs(row_codes.dequantize(codes, scales) - table)
    assert (error <= 0.5001 * scales).all()
    assert np.allclose(scales[:, 0] * 127, np.abs(table).max(1))


def test_four_bits_clip_where_that_is_nearer() -> None:
    table = random_table(400, 64)
    codes, scales = row_codes.quantize_rows(table, 4)
    assert codes.min() >= -7 and codes.max() <= 7
    plain = np.abs(table).max(1, keepdims=True) / 7
    rounded = np.rint(table / plain) * plain
    errors = [((t - table) ** 2).sum(1) for t in (row_codes.dequantize(codes, scales), rounded)]
    assert (errors[0] <= errors[1] * 1.001).all() and errors[0].sum() < 0.9 * errors[1].sum()


@pytest.mark.parametrize(("bits", "top"), [(8, 127), (4, 7)])
def test_rows_of_whole_codes_come_back_exactly(bits: int, top: int) -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(-top, top + 1, (30, 10))
    codes[:, 3] = top  # so that the largest value has the largest code
    codes[4] = 0  # the padding row
    table = (codes * 2.0 ** rng.integers(-4, 4, (30, 1))).astype(np.float32)
    assert np.array_equal(row_codes.dequantize(*row_codes.quantize_rows(table, bits)), table)
    with pytest.raises(ValueError, match="in 4 or 8 bits, not 3"):
        row_codes.quantize_rows(table, 3)


def test_blocks_of_rows_are_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    table, frequency = random_table(), np.arange(1.0, 51)
    whole = (*row_codes.quantize_rows(table, 4), *low_rank.factorize(table, 5, frequency))
    for module in (low_rank, row_codes):
        monkeypatch.setattr(module, "ROWS", 7)
    parts = (*row_codes.quantize_rows(table, 4), *low_rank.factorize(table, 5, frequency))
    for one, other in zip(whole[:2], parts[:2], strict=True):
        assert np.array_equal(one, other)
    assert np.allclose(whole[2] @ whole[3], parts[2] @ parts[3], atol=1e-4)


@given(st.lists(st.lists(st.integers(-7, 7), min_size=6, max_size=6), min_size=1, max_size=9))
def test_packed_codes_come_back(rows: list[list[int]]) -> None:
    codes = np.array(rows, np.int8)
    packed = row_codes.pack(codes)
    assert packed.dtype == np.uint8 and packed.shape == (len(rows), 3)
    assert np.array_equal(row_codes.unpack(packed), codes)
    with pytest.raises(ValueError, match="rows of 5 codes do not halve"):
        row_codes.pack(codes[:, :5])


def test_factors_lose_what_the_weighted_singular_values_say() -> None:
    table = random_table()
    frequency = np.random.default_rng(2).uniform(0.1, 100, len(table))
    left, right = low_rank.factorize(table, 6, frequency)
    assert left.shape == (50, 6) and right.shape == (6, 16) and left.dtype == np.float32
    values = np.linalg.svd(np.sqrt(frequency)[:, None] * table, compute_uv=False)
    lost = (frequency[:, None] * (left @ right - table) ** 2).sum()
    assert lost == pytest.approx((values[6:] ** 2).sum(), rel=1e-3)
    plain = low_rank.factorize(table, 6, np.ones(50))
    assert (frequency[:, None] * (plain[0] @ plain[1] - table) ** 2).sum() > 1.05 * lost
    whole = low_rank.factorize(table, 16, frequency)
    assert np.allclose(whole[0] @ whole[1], table, atol=1e-4)
    for rank in (0, 17):
        with pytest.raises(ValueError, match="the table is 16 wide"):
            low_rank.factorize(table, rank, frequency)


def test_pieces_are_counted_with_what_starts_and_ends_a_line(tiny_nli: Path) -> None:
    tokenizer = tokenization.load(tiny_nli)
    found = low_rank.frequencies(tokenizer, ["a man", "a man reads"], 620)
    ids = tokenizer.encode("a man").ids
    assert found[ids[0]] == found[ids[-1]] == 3 and found[ids[1]] >= 3
    assert found.shape == (620,) and found.min() == 1 and found[tokenizer.token_to_id("<pad>")] == 1


@pytest.fixture(scope="module")
def fp32(tiny_nli: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fp32") / "out"
    export(tiny_nli, out, precision="fp32")
    return out


def rewritten(bundle: Path, table: np.ndarray, form: str) -> int:
    """The graph of a bundle rewritten, and its card told of its new size."""
    stored = rewrite(bundle / "model.onnx", table, Form(form))
    write_card(bundle, json.loads((bundle / BUNDLE_FILE).read_text()))
    return stored


def rows(form: str, table: np.ndarray) -> np.ndarray:
    """What a form makes of a table, without a graph."""
    if form == "fp32":
        return table
    if form.startswith("rank"):
        left, right = low_rank.factorize(table, 24, np.ones(len(table)))
        bits = form.removeprefix("rank-24").removeprefix("-int")
        return (rows(f"int{bits}", left) if bits else left) @ right
    columns = row_codes.even_columns(table, bits := int(form[3:]))
    return row_codes.dequantize(*row_codes.quantize_rows(table, bits, columns), columns)


@pytest.mark.parametrize("form", BYTES)
def test_a_graph_computes_what_a_checkpoint_of_such_rows_computes(
    form: str, fp32: Path, tiny_nli: Path, tmp_path: Path
) -> None:
    """And takes as many bytes as it should."""
    import onnx
    from safetensors.torch import load_file, save_file
    from torch import from_numpy

    bundle, like = tmp_path / "bundle", tmp_path / "like"
    shutil.copytree(fp32, bundle)
    shutil.copytree(tiny_nli, like)
    table = table_of(tiny_nli)
    stored = rewritten(bundle, table, form)
    factored = form.startswith("rank-24")
    assert stored == (24 * (len(table) + 64) if factored else table.size)
    tensors = load_file(like / "model.safetensors")
    (name,) = (name for name in tensors if name.endswith("word_embeddings.weight"))
    tensors[name] = from_numpy(rows(form, table)).clone()
    save_file(tensors, like / "model.safetensors", metadata={"format": "pt"})
    session = Session(open_model(like))
    probe = sample(session.tokenizer, 64, TASKS.get("xnli"), EMBEDDED, 6)
    assert outputs.compare(session, open_model(bundle), probe).maximum < 1e-4
    onnx.checker.check_model(bundle / "model.onnx")
    extra = 4 * 24 * 64 if factored else 0
    saved = len(table) * (4 * 64 - BYTES[form]) - extra
    assert model_size.sizes(fp32)[0] - model_size.sizes(bundle)[0] == pytest.approx(saved, abs=4000)
    assert {p.name for p in bundle.iterdir()} == {p.name for p in fp32.iterdir()}


@pytest.mark.parametrize("form", ["int8", "int4", "rank-24-int4"])
def test_a_column_of_large_values_costs_the_others_nothing(
    form: str, fp32: Path, tiny_nli: Path, tmp_path: Path
) -> None:
    """As e5-mini has one: in its 160 numbers, 20 times as large as the others."""
    table = table_of(tiny_nli)
    table[:, 7] = 4 + 0.2 * table[:, 7]
    wanted = rows(form, table)
    around = ((table - table.mean(0)) ** 2).sum()
    limits = {"int8": 1e-4, "int4": 0.03}
    if form in limits:
        assert ((wanted - table) ** 2).sum() < limits[form] * around
    bundle = tmp_path / "bundle"
    shutil.copytree(fp32, bundle)
    rewritten(bundle, table, form)
    graph = onnx_rows(bundle / "model.onnx", np.arange(len(table))[None])
    assert np.abs(graph - wanted).max() < 1e-4


def onnx_rows(path: Path, ids: np.ndarray) -> np.ndarray:
    """The rows that the part of a graph gives which looks word embeddings up."""
    import onnx
    import onnxruntime

    model = onnx.load(path)
    made = [node for node in model.graph.node if node.name.startswith("embeddings_")]
    out = onnx.helper.make_tensor_value_info(made[-1].output[0], 1, None)
    names = {name for node in made for name in node.input}
    held = [tensor for tensor in model.graph.initializer if tensor.name in names]
    (given,) = [entry for entry in model.graph.input if entry.name in names]
    graph = onnx.helper.make_graph(made, "rows", [given], [out], held)
    part = onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=10)
    session = onnxruntime.InferenceSession(part.SerializeToString())
    found: np.ndarray = session.run(None, {given.name: ids})[0][0]
    return found


@pytest.mark.parametrize("form", ["fp32", "int8", "int4"])
def test_tables_that_were_quantized_are_replaced_too(
    form: str, tiny_bundle: Path, tiny_nli: Path, tmp_path: Path
) -> None:
    import onnx

    bundle = tmp_path / "bundle"
    shutil.copytree(tiny_bundle, bundle)
    table = table_of(tiny_nli)
    rewritten(bundle, table, form)
    onnx.checker.check_model(bundle / "model.onnx")
    graph = onnx.load(bundle / "model.onnx").graph
    assert not [i.name for i in graph.initializer if "word_embeddings.weight_quantized" in i.name]
    there = {i.name for i in graph.initializer} | {o for n in graph.node for o in n.output}
    assert {value.name for value in graph.value_info} <= there
    change = model_size.sizes(bundle)[0] - model_size.sizes(tiny_bundle)[0]
    assert change == pytest.approx(len(table) * (BYTES[form] - 64), abs=4000)
    session = Session(open_model(tiny_nli))
    probe = sample(session.tokenizer, 64, TASKS.get("xnli"), EMBEDDED, 6)
    found = outputs.compare(session, open_model(bundle), probe)
    assert found.maximum < 0.2 * found.scale
    ids = np.array([[0, 9, 11, 2]])
    first = "hidden_states.0"
    one, other = (
        m(ids, np.ones_like(ids), (first,))[first]
        for m in (open_model(tiny_nli), open_model(bundle))
    )
    assert np.abs(one - other).max() < {"fp32": 0.05, "int8": 0.05, "int4": 0.6}[form]


@pytest.mark.parametrize("form", ["int8", "int4", "rank-24"])
def test_a_table_that_is_dequantized_as_a_whole_is_replaced(form: str, tmp_path: Path) -> None:
    """As NNCF writes it for `int8-static`: DequantizeLinear, then Gather."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper
    from onnx.numpy_helper import from_array

    table = np.random.default_rng(1).normal(size=(40, 64)).astype(np.float32)
    scale = np.float32(np.abs(table).max() / 127)
    name = "q_output_embeddings.word_embeddings.weight_1"
    stored = {name: np.round(table / scale).astype(np.int8), "scale": scale, "zero": np.int8(0)}
    nodes = [
        helper.make_node("DequantizeLinear", [name, "scale", "zero"], ["table"]),
        helper.make_node("Cast", ["input_ids"], ["ids"], to=TensorProto.INT32),
        helper.make_node("Gather", ["table", "ids"], ["rows"]),
        helper.make_node("Relu", ["rows"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "n"])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, "n", 64])],
        [from_array(np.asarray(value), key) for key, value in stored.items()],
    )
    path = tmp_path / "model.onnx"
    opset = helper.make_opsetid("", 18)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=9), path)
    rewrite(path, table, Form(form))
    onnx.checker.check_model(path, full_check=True)
    kept = onnx.load(path).graph
    assert "DequantizeLinear" not in [node.op_type for node in kept.node]
    assert name not in [tensor.name for tensor in kept.initializer]
    session = onnxruntime.InferenceSession(path)
    ids = np.array([[3, 0, 39]])
    (found,) = session.run(None, {"input_ids": ids})
    np.testing.assert_allclose(found, np.maximum(rows(form, table)[ids], 0), atol=1e-5)


def test_graphs_and_forms_that_do_not_fit_are_named(
    fp32: Path, tiny_nli: Path, tmp_path: Path
) -> None:
    shutil.copytree(fp32, tmp_path / "bundle")
    path = tmp_path / "bundle" / "model.onnx"
    table = table_of(tiny_nli)
    with pytest.raises(EmbeddingsError, match=r"rank-64: the table is 64 wide; ask for a lower"):
        rewrite(path, table, Form("rank-64"))
    with pytest.raises(EmbeddingsError, match=r"has no lookup of a word_embeddings\.weight of 9 x"):
        rewrite(path, table[:9], Form("int8"))
    rewrite(path, table, Form("int8"))
    with pytest.raises(EmbeddingsError, match="leave embeddings out"):
        rewrite(path, table, Form("int8"))
    with pytest.raises(EmbeddingsError, match="int4 packs two values per byte, and rows have 3"):
        embedding_storage._rows(np.ones((4, 3), np.float32), 4, "ids", "out")
