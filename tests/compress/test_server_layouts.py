"""Bundles in the layouts of Triton, OpenVINO Model Server and text-embeddings-inference."""

from __future__ import annotations

import io
import json
import re
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from graph_bundles import card_of, table_bundle

import lingopress
from compress.export import bundle, bundle_readme
from compress.export.layouts import openvino_model_server, text_embeddings_inference, triton
from compress.export.registry import layouts
from evalsuite.inference.open_model import open_model
from evalsuite.machine import model_size
from evalsuite.task import SPAN_ENDS
from transfer.models.sentence_files import complete_sentence_files

LABELS = ("rain", "sun and\nwind", "snow")
IDS = np.array([[0, 45, 678, 9012, 2], [0, 31_999, 2, 1, 1]])
MASK = (IDS != 1).astype(np.int64)


def arranged(out: Path, layout: Any, head: str | None, labels: tuple[str, ...] = ()) -> Path:
    table_bundle(out, head, labels)
    complete_sentence_files(out)
    more = {}
    if layout is openvino_model_server:
        to_openvino(out)
        more = {"runtime": "openvino", "file": "graph.xml"}
    card = layout.arrange(out, card_of(head, labels, **more))
    bundle.seal(out, card, bundle_readme.readme(card, None))
    return out


def to_openvino(out: Path) -> Any:
    """Convert the graph of a bundle; the package."""
    openvino = pytest.importorskip("evalsuite.runtimes._openvino").openvino
    model = openvino.Core().read_model(out / "model.onnx")
    openvino.save_model(model, out / "graph.xml", compress_to_fp16=False)
    for path in out.glob("model.onnx*"):
        path.unlink()
    return openvino


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


_ALWAYS = {
    "README.md", "SHA256SUMS", "bundle.json", "config.json", "tokenizer.json",
    "tokenizer_config.json",
}  # fmt: skip
_VECTORS = {"1_Pooling/config.json", "modules.json", "sentence_bert_config.json"}


@pytest.mark.parametrize(
    ("layout", "head", "labels", "more"),
    [
        (triton, "pair", LABELS, {"1/model.onnx", "config.pbtxt", "labels.txt"}),
        (triton, None, (), {"1/model.onnx", "config.pbtxt", *_VECTORS}),
        (
            openvino_model_server, "pair", LABELS,
            {"1/openvino_model.xml", "1/openvino_model.bin", "model_server.json"},
        ),
        (
            openvino_model_server, None, (),
            {"1/openvino_model.xml", "1/openvino_model.bin", "model_server.json", *_VECTORS},
        ),
        (
            text_embeddings_inference, "pair", LABELS,
            {"onnx/model.onnx", "sentence_bert_config.json"},
        ),
        (text_embeddings_inference, None, (), {"onnx/model.onnx", *_VECTORS}),
    ],
)  # fmt: skip
def test_a_bundle_in_a_layout_has_its_files_and_the_same_answers(
    tmp_path: Path, layout: Any, head: str | None, labels: tuple[str, ...], more: set[str]
) -> None:
    plain = open_model(table_bundle(tmp_path / "plain", head, labels))
    found = arranged(tmp_path / "arranged", layout, head, labels)
    assert files(found) == _ALWAYS | more
    card = json.loads((found / "bundle.json").read_text())
    assert card["layout"] == layout.NAME and card["bytes"].keys() >= {layout.FILE}
    assert model_size.sizes(found)[0] > 32_000 * 4 * (len(labels) or 8)
    wanted = ("logits",) if head else ("hidden_states.1",)
    values, right = (model(IDS, MASK, wanted) for model in (open_model(found), plain))
    assert values[wanted[0]] == pytest.approx(right[wanted[0]], abs=1e-6)


TRITON = """backend: "onnxruntime"
max_batch_size: 64
input [
  { name: "input_ids" data_type: TYPE_INT64 dims: [ -1 ] },
  { name: "attention_mask" data_type: TYPE_INT64 dims: [ -1 ] }
]
output [
  { name: "logits" data_type: TYPE_FP32 dims: [ 3 ] label_filename: "labels.txt" }
]
dynamic_batching { max_queue_delay_microseconds: 2000 }
instance_group [ { count: 1 kind: KIND_CPU } ]
"""


def test_tritons_configuration_of_a_classifier(tmp_path: Path) -> None:
    found = arranged(tmp_path / "b", triton, "pair", LABELS)
    assert (found / "config.pbtxt").read_text() == TRITON
    assert (found / "labels.txt").read_text() == "rain\nsun and wind\nsnow\n"


@pytest.mark.parametrize(
    ("head", "labels", "shapes"),
    [
        ("pair", LABELS, {"logits": [3]}),
        ("tagging", LABELS, {"logits": [-1, 3]}),
        ("span", SPAN_ENDS, {"start_logits": [-1], "end_logits": [-1]}),
        (None, (), {"last_hidden_state": [-1, 8]}),
    ],
)
def test_triton_finds_the_shapes_of_its_configuration_in_the_graph(
    tmp_path: Path, head: str | None, labels: tuple[str, ...], shapes: dict[str, list[int]]
) -> None:
    """What its backend compares when it loads a model; the first axis must have no size."""
    found = arranged(tmp_path / "b", triton, head, labels)
    graph = onnx.load(found / "1" / "model.onnx").graph
    of_graph = {
        value.name: [d.dim_value if d.HasField("dim_value") else -1 for d in dims]
        for value in (*graph.input, *graph.output)
        if (dims := value.type.tensor_type.shape.dim)
    }
    text = (found / "config.pbtxt").read_text()
    written = {
        name: json.loads(dims)
        for name, dims in re.findall(r'name: "(\S+)" data_type: \w+ dims: (\[[^]]*\])', text)
    }
    assert written == {"input_ids": [-1], "attention_mask": [-1]} | shapes
    assert {name: of_graph[name] for name in written} == {n: [-1, *s] for n, s in written.items()}
    package = find_spec("tritonclient")
    if package is None or package.origin is None:
        return  # the schema is compared where Triton's client is installed
    from google.protobuf import text_format

    file = Path(package.origin).parent / "grpc" / "model_config_pb2.py"
    spec = spec_from_file_location("model_config_pb2", file)
    assert spec is not None and spec.loader is not None
    schema = module_from_spec(spec)
    spec.loader.exec_module(schema)
    config = text_format.Parse(text, schema.ModelConfig())
    assert {t.name: list(t.dims) for t in (*config.input, *config.output)} == written


def test_a_model_of_choices_takes_one_more_axis_in_triton() -> None:
    text = triton._config({"logits": (-1,)}, None, choices=True)
    assert text.count("dims: [ -1, -1 ]") == 2 and "label_filename" not in text


@pytest.mark.parametrize(("precision", "hint"), [("int8", "f32"), ("int8-bf16", "bf16")])
def test_openvinos_server_computes_in_the_type_of_the_bundle(
    tmp_path: Path, precision: str, hint: str
) -> None:
    out = table_bundle(tmp_path / "b", "tagging", LABELS)
    openvino = to_openvino(out)
    more = {"runtime": "openvino", "file": "graph.xml", "precision": precision}
    openvino_model_server.arrange(out, card_of("tagging", LABELS, **more))
    (entry,) = json.loads((out / "model_server.json").read_text())["model_config_list"]
    assert entry["config"] == {
        "name": "model", "base_path": ".", "target_device": "CPU",
        "plugin_config": {"INFERENCE_PRECISION_HINT": hint},
    }  # fmt: skip
    model = openvino.Core().read_model(out / "1" / "openvino_model.xml")
    assert [output.get_names() for output in model.outputs] == [{"logits"}]


def test_the_request_in_the_readme_gets_the_answer_of_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = arranged(tmp_path / "b", triton, "pair", LABELS)
    opened = lingopress.open(found)
    readme = (found / "README.md").read_text(encoding="utf-8")
    code = next(c for c in re.findall(r"```python\n(.*?)```", readme, re.S) if "urlopen" in c)

    def answer(request: Any) -> io.BytesIO:
        assert re.search(r"^http://127.0.0.1:8000/v2/models/\w+/infer$", request.full_url)
        tensors = {
            t["name"]: np.array(t["data"], dtype=t["datatype"].lower()).reshape(t["shape"])
            for t in json.loads(request.data)["inputs"]
        }
        logits = opened.predictor(**tensors, wanted=("logits",))["logits"]
        data = {"name": "logits", "shape": list(logits.shape), "data": logits.ravel().tolist()}
        return io.BytesIO(json.dumps({"outputs": [data]}).encode())

    monkeypatch.setattr("urllib.request.urlopen", answer)
    monkeypatch.chdir(found)
    exec(code, {})
    printed = capsys.readouterr().out.split("[1, 3]")[1]
    values = np.exp(json.loads(printed))
    scores = dict(zip(LABELS, values / values.sum(), strict=True))
    assert opened.predict(["A man is reading."])[0]["scores"] == pytest.approx(scores, abs=1e-5)


@pytest.mark.parametrize(
    ("declared", "pooling"),
    [({"pooling_mode": "cls"}, "cls"), ({"pooling_mode_mean_tokens": True}, "mean"), ({}, "mean")],
)
def test_text_embeddings_inference_finds_labels_pooling_and_length(
    tmp_path: Path, declared: dict[str, Any], pooling: str
) -> None:
    out = table_bundle(tmp_path / "b", None)
    (out / "1_Pooling").mkdir()
    (out / "1_Pooling" / "config.json").write_text(
        json.dumps(declared or {"pooling_mode": "mean"}), encoding="utf-8"
    )
    (out / "sentence_bert_config.json").write_text('{"max_seq_length": 9}')
    text_embeddings_inference.arrange(out, card_of(None))
    assert json.loads((out / "1_Pooling" / "config.json").read_text()) == {
        "pooling_mode_cls_token": pooling == "cls", "pooling_mode_mean_tokens": pooling == "mean",
    }  # fmt: skip
    assert json.loads((out / "sentence_bert_config.json").read_text()) == {"max_seq_length": 9}
    found = arranged(tmp_path / "c", text_embeddings_inference, "pair", LABELS)
    config = json.loads((found / "config.json").read_text())
    assert config["label2id"] == {label: number for number, label in enumerate(LABELS)}
    assert {int(n): label for n, label in config["id2label"].items()} == dict(enumerate(LABELS))
    assert json.loads((found / "sentence_bert_config.json").read_text()) == {"max_seq_length": 64}


@pytest.mark.parametrize(
    ("labels", "answers", "path", "body"),
    [
        (LABELS, "label", "predict", {"inputs": ["A man is reading."]}),
        (LABELS, "labels", "predict", {"inputs": ["A man is reading."], "raw_scores": True}),
        (
            ("score",), "score", "rerank",
            {"query": "Who?", "texts": ["A man is reading."], "raw_scores": True},
        ),
        ((), "label", "embed", {"inputs": ["A man is reading."]}),
    ],
)  # fmt: skip
def test_the_readme_asks_text_embeddings_inference_for_what_the_head_gives(
    labels: tuple[str, ...], answers: str, path: str, body: dict[str, Any]
) -> None:
    text = text_embeddings_inference.note(
        card_of("pair" if labels else None, labels, answers=answers)
    )
    assert f"127.0.0.1:8080/{path} " in text
    assert json.loads(re.findall(r"-d '(.*)'", text)[0]) == body


@pytest.mark.parametrize(
    ("name", "runtime", "head", "said"),
    [
        ("triton", "openvino", "pair", "set runtime: onnxruntime"),
        ("openvino-model-server", "onnxruntime", "pair", "set runtime: openvino"),
        ("text-embeddings-inference", "torch", "pair", "set runtime: onnxruntime"),
        ("text-embeddings-inference", "onnxruntime", "span", "takes encoders and classifiers"),
        ("text-embeddings-inference", "onnxruntime", "choice", "takes encoders and classifiers"),
    ],
)
def test_a_layout_says_what_it_does_not_take(name: str, runtime: str, head: str, said: str) -> None:
    layout = layouts()[name]
    assert said in (layout.refusal(runtime, head) or "")
    assert layout.refusal(layout.RUNTIME, "pair") is None
