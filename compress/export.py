"""Export a checkpoint to a bundle for ONNX Runtime or OpenVINO, behind a parity gate.

The graph comes from `transformers.exporters`; it takes any batch size and length, and gives the
logits and every layer's hidden states, so that one bundle serves prediction and retrieval alike.
ONNX Runtime's int8 is its dynamic quantization with per-channel weights; embeddings are quantized
too. OpenVINO's bf16 computes in bf16 and stores its weights in fp16, which has more digits than
bf16 down to 6e-5 and takes half the bytes of fp32.
"""

from __future__ import annotations

import json
import logging
import shutil
import warnings
from pathlib import Path
from typing import Any

from compress import _card
from compress.gate import hold
from compress.graph_embeddings import Form, rewrite
from compress.precisions import Precision, Runtime
from compress.prune.shrink import drop_silent_heads
from evalsuite import parity, weights
from evalsuite.runtimes import BUNDLE_FILE, open_model, openvino, read_config
from evalsuite.runtimes.torch import TorchPredictor, architecture, load_checkpoint
from evalsuite.sample import Probe
from evalsuite.session import Session
from evalsuite.task import CHOICE
from transfer.checkpoints import copy_tokenizer


def export(
    directory: Path,
    out: Path,
    *,
    runtime: Runtime = "onnxruntime",
    precision: Precision,
    probe: Probe | None = None,
    min_agreement: float = 0.0,
    embeddings: Form | None = None,
) -> tuple[parity.Parity | None, dict[str, float | int | str]]:
    """Write a bundle to `out`.

    Args:
        precision: one of the runtime's `PRECISIONS`.
        probe: real text for the parity gate; without it parity is not measured.
        min_agreement: percent of labels that must stay equal, or the export fails.
        embeddings: how ONNX Runtime's graph stores the word embeddings; None leaves them as the
            precision makes them.

    Raises:
        GateError: fewer labels agree than asked; names the worst language.
        MissingExtraError: the runtime is not installed.
    """
    if runtime == "openvino":
        openvino.load()  # ahead of transformers, which imports it as it comes
    model = load_checkpoint(directory)
    silent = drop_silent_heads(model)
    predictor = TorchPredictor(directory, model, "fp32")
    out.mkdir(parents=True, exist_ok=True)
    file = _write_graph(model, out, runtime, precision, predictor.labels == CHOICE)
    copy_tokenizer(directory, out)
    shutil.copyfile(directory / "config.json", out / "config.json")
    total, in_embeddings = weights.parameter_counts(directory)
    if embeddings is not None:
        table = model.get_input_embeddings().weight.detach().float().numpy()
        fewer = table.size - rewrite(out / file, table, embeddings)
        total, in_embeddings = total - fewer, in_embeddings - fewer
    card: dict[str, Any] = {
        "format": 1,
        "runtime": runtime,
        "file": file,
        "precision": precision,
        "labels": list(predictor.labels),
        "layers": predictor.layers,
        "max_length": predictor.max_length,
        "architecture": architecture(read_config(directory)),
        "parameters": total - silent,
        "embedding_parameters": in_embeddings,
    }
    if embeddings is not None:
        card["embeddings"] = embeddings.name
    (out / BUNDLE_FILE).write_text(json.dumps(card, indent=2), encoding="utf-8")
    result = None
    if probe is not None and probe.per_language:
        session = Session(predictor)
        text = probe.sequences(session.tokenizer, predictor.max_length)
        result = parity.compare(session, open_model(out), text)
        remedy = "lower min_agreement, or export with precision: fp32"
        kind = f" with {embeddings.name} embeddings" if embeddings else ""
        hold(result, min_agreement, f"{precision} export{kind}", remedy)
    (out / "README.md").write_text(_card.readme(card, result), encoding="utf-8")
    facts: dict[str, float | int | str] = {
        "MB": round(weights.sizes(out)[0] / 1e6, 2),
        "MB before": round(weights.sizes(directory)[0] / 1e6, 2),
    }
    if result is not None:
        facts |= result.facts()
    return result, facts


def _write_graph(
    model: Any, out: Path, runtime: Runtime, precision: Precision, choices: bool
) -> str:
    """The runtime's own files, batch and length free, and how many choices where it scores these.

    Returns:
        the name of the file to open; its weights lie beside it.
    """
    import torch
    from torch.export import Dim

    longest = int(model.config.max_position_embeddings) - 2
    axes: dict[int, Any] = {0: Dim("batch"), 1: Dim("length", max=longest)}
    ids = torch.randint(5, min(1000, model.config.vocab_size), (2, 16))
    if choices:
        axes = {0: axes[0], 1: Dim("choices"), 2: axes[1]}
        ids = torch.stack([ids, ids.flip(1), ids.flip(0)], 1)
    sample = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    exporter, config = _exporter(runtime, precision, dict.fromkeys(sample, axes))
    before = model.config.output_hidden_states
    model.config.output_hidden_states = True
    level = logging.root.level
    try:
        logging.root.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exported = exporter.export(model, sample, config=config)
            if runtime == "onnxruntime":
                _strip(exported.program)
            exported.save_pretrained(out)
    finally:
        logging.root.setLevel(level)
        model.config.output_hidden_states = before
    return "model.onnx" if runtime == "onnxruntime" else "openvino_model.xml"


def _exporter(runtime: Runtime, precision: Precision, shapes: dict[str, Any]) -> tuple[Any, Any]:
    """What transformers exports with to a runtime, and its config."""
    from transformers import exporters

    if runtime == "openvino":
        return exporters.OpenVINOExporter(), exporters.OpenVINOConfig(
            dynamic=True, dynamic_shapes=shapes, compress_to_fp16=precision == "bf16"
        )
    quantizer = None
    if precision == "int8":
        dynamic = exporters.OnnxRuntimeDynamicConfig(per_channel=True)
        quantizer = exporters.OnnxRuntimeQuantizer(dynamic)
    return exporters.OnnxExporter(), exporters.OnnxConfig(
        dynamic=True, dynamic_shapes=shapes, quantizer=quantizer
    )


def _strip(program: Any) -> None:
    """Drop the traces the exporter leaves on every node: half a megabyte, and local paths."""
    for graph in program.graphs():
        for node in graph:
            node.metadata_props.clear()
            node.doc_string = None
        for value in (*graph.inputs, *graph.outputs, *graph.initializers.values()):
            value.metadata_props.clear()
