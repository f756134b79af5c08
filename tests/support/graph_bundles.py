"""Bundles for ONNX Runtime whose graph is a table of pieces: made in no time, without torch."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from small_tokenizer import TOKENIZER

from compress.export import bundle
from compress.export.bundle import BundleCard

_CLASSES = {
    "pair": "ForSequenceClassification",
    "tagging": "ForTokenClassification",
    "span": "ForQuestionAnswering",
    None: "Model",
}
_WIDTH = 8


def table_bundle(out: Path, head: str | None, labels: Sequence[str] = ()) -> Path:
    """Logits (of an encoder: hidden states) are rows of a table; of a pair their sum."""
    out.mkdir()
    width = len(labels) or _WIDTH
    table = np.random.default_rng(0).standard_normal((32_000, width)).astype(np.float32)
    rows = "logits" if head == "tagging" else "hidden_states.1" if head is None else "rows"
    nodes = [helper.make_node("Gather", ["table", "input_ids"], [rows])]
    outputs = [rows]
    nodes.append(helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT))
    if head == "pair":
        nodes.append(helper.make_node("Unsqueeze", ["mask", "last"], ["weights"]))
        nodes.append(helper.make_node("Mul", [rows, "weights"], ["weighted"]))
        nodes.append(helper.make_node("ReduceSum", ["weighted", "tokens"], ["logits"], keepdims=0))
        outputs = ["logits", rows]
    if head == "span":
        nodes.append(helper.make_node("Split", [rows, "halves"], ["one", "two"], axis=2))
        outputs = ["start_logits", "end_logits"]
        for part, name in zip(("one", "two"), outputs, strict=True):
            nodes.append(helper.make_node("Squeeze", [part, "last"], [name]))
    if head is None:
        nodes.append(helper.make_node("Identity", [rows], ["last_hidden_state"]))
        outputs = ["last_hidden_state", rows]
    graph = helper.make_graph(
        nodes,
        "table",
        [helper.make_tensor_value_info(n, TensorProto.INT64, ["batch", "length"]) for n in _INPUTS],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in (*outputs, "mask")],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(np.array([2]), "last"),
            numpy_helper.from_array(np.array([1]), "tokens"),
            numpy_helper.from_array(np.array([1, 1]), "halves"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save_model(
        model, out / "model.onnx", save_as_external_data=True, location="model.onnx.data"
    )
    config = {
        "model_type": "xlm-roberta", "architectures": [f"XLMRoberta{_CLASSES[head]}"],
        "hidden_size": width, "num_hidden_layers": 1, "num_attention_heads": 1,
        "vocab_size": 32_000, "max_position_embeddings": 66, "pad_token_id": 1,
        "id2label": dict(enumerate(labels)),
    }  # fmt: skip
    (out / "config.json").write_text(json.dumps(config))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(TOKENIZER / name, out / name)
    (out / "export.json").write_text("{}")
    bundle.seal(out, card_of(head, labels), "# Bundle\n")
    return out


_INPUTS = ("input_ids", "attention_mask")


def card_of(head: str | None, labels: Sequence[str] = (), **more: str) -> BundleCard:
    """The card of such a bundle."""
    return BundleCard(
        **{"runtime": "onnxruntime", "file": "model.onnx", "precision": "fp32"} | more,
        head=head,
        labels=tuple(labels),
        layers=1,
        max_length=64,
        architecture="xlm-roberta 1x8",
        parameters=256_000,
        embedding_parameters=256_000,
    )
