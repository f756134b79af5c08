"""Smaller word embeddings by the stage `export`: keys, text that weighs pieces, the gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from embedding_tables import BYTES, table_of

from compress.errors import GateError
from compress.export.embedding_storage import Form
from compress.export.export import export
from compress.export.graph import ExportOptions
from evalsuite.agreement import outputs
from evalsuite.inference.open_model import open_model
from evalsuite.inference.probe_text import sample
from evalsuite.inference.session import Session
from evalsuite.machine import model_size
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact, Input, StageContext
from recipes.stages.export import Config, check, data, run

EMBEDDED = DataSource("embedded")


def config(**fields: Any) -> Config:
    return Config(name="e", stage="export", model="m", **fields)


def context(model: Path, out: Path) -> StageContext:
    out.mkdir(parents=True)
    return StageContext(
        out=out, work=out, inputs={"model": (Input("m", model, Artifact("checkpoint", "xnli")),)},
        data=EMBEDDED, seed=1, recipe="r",
    )  # fmt: skip


def test_the_stage_stores_a_rank_by_the_pieces_of_its_text(tiny_nli: Path, tmp_path: Path) -> None:
    asked = config(embeddings="rank-32", max_pairs=30, probe=4, min_agreement=0)
    gives = check(asked, {"model": [Artifact("checkpoint", "xnli")]})
    assert [need.split for need in data(asked, gives)] == ["eval", "parallel", "held out"]
    summary = run(asked, context(tiny_nli, tmp_path / "out"))
    card = json.loads((tmp_path / "out" / "bundle.json").read_text())
    total, embedded = model_size.parameter_counts(tiny_nli)
    pieces = len(table_of(tiny_nli))
    assert total - card["parameters"] == 64 * pieces - 32 * (pieces + 64)
    assert embedded - card["embedding_parameters"] == 64 * pieces - 32 * (pieces + 64)
    assert card["embeddings"] == "rank-32"
    assert "word embeddings: rank-32" in (tmp_path / "out" / "README.md").read_text()
    assert "agreement %" in summary
    plain = export(
        tiny_nli,
        tmp_path / "plain",
        precision="fp32",
        options=ExportOptions(embeddings=Form("rank-32")),
    )
    assert plain[0] is None
    first = Session(open_model(tiny_nli))
    probe = sample(first.tokenizer, 64, TASKS.get("xnli"), EMBEDDED, 10)
    own, even = (
        outputs.compare(first, open_model(tmp_path / name), probe).mean for name in ("out", "plain")
    )
    assert own < 0.9 * even


def test_a_rank_and_few_bits_go_together(tiny_nli: Path, tmp_path: Path) -> None:
    """Weights of layers in int4, and one row of 24 codes per piece."""
    import onnx

    asked = config(
        precision="int4-weights", embeddings="rank-24-int4", max_pairs=5, probe=4, min_agreement=0
    )
    check(asked, {"model": [Artifact("checkpoint", "xnli")]})
    run(asked, context(tiny_nli, tmp_path / "out"))
    graph = onnx.load(tmp_path / "out" / "model.onnx").graph
    of_words = {i.name: i for i in graph.initializer if "word_embeddings" in i.name}
    assert sum(len(i.raw_data) for i in of_words.values()) == pytest.approx(
        len(table_of(tiny_nli)) * BYTES["rank-24-int4"] + 4 * 24 * 64, abs=50
    )
    kinds = [node.op_type for node in graph.node]
    assert kinds.count("MatMulNBits") == 2 * 6 + 2  # the head has two
    first = Session(open_model(tiny_nli))
    probe = sample(first.tokenizer, 64, TASKS.get("xnli"), EMBEDDED, 10)
    found = outputs.compare(first, open_model(tmp_path / "out"), probe)
    assert found.mean < 0.3 * found.scale


def test_the_stage_holds_embeddings_to_its_gate(tiny_nli: Path, tmp_path: Path) -> None:
    asked = config(embeddings="rank-1", max_pairs=5, probe=30, min_agreement=100)
    with pytest.raises(GateError, match="fp32 export with rank-1 embeddings: "):
        run(asked, context(tiny_nli, tmp_path / "out"))
    model = {"model": [Artifact("checkpoint", "xnli")]}
    with pytest.raises(StageInputError, match="embeddings: openvino fp32 takes no such key"):
        check(config(embeddings="int8", runtime="openvino"), model)
    assert [need.split for need in data(config(embeddings="int8"), model["model"][0])] == ["eval"]
    for wrong in ("int3", "rank-0", "rank-x", "rank-8-int3", "rank-8-fp32"):
        with pytest.raises(ValueError, match="embeddings"):
            config(embeddings=wrong)
