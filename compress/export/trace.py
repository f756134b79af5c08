"""A checkpoint traced to a runtime's graph: any batch, any length, hidden states besides logits.

>>> traced = trace(model, "onnxruntime", choices=False)
>>> traced.save(traced.program, Path("out"))
'model.onnx'

Tracing is by `transformers.exporters`, in fp32 and without a quantizer: it takes longer than
quantizing, and what is traced once can be quantized in several ways.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.export.first_token import first_token_alone
from compress.export.precisions import Runtime

FILES: dict[Runtime, str] = {
    "onnxruntime": "model.onnx",
    "openvino": "openvino_model.xml",
    "torch": "model.safetensors",  # no graph: a checkpoint
}


@dataclass(frozen=True, slots=True)
class Traced:
    """A graph in fp32.

    Attributes:
        exported: what transformers exported.
        sample: the inputs it was traced with.
        shortened: whether the last layer computes `<s>` alone, and its states are left out.
    """

    runtime: Runtime
    exported: Any
    sample: dict[str, Any]
    shortened: bool = False

    @property
    def program(self) -> Any:
        """`onnx_ir.Model` or `openvino.Model`."""
        return self.exported.program

    def save(self, program: Any, out: Path) -> str:
        """Write this graph or one made from it.

        Returns:
            the name of the file to open; its weights lie beside it.
        """
        (name,) = self.exported.components
        component = copy.copy(self.exported.components[name])
        component.program = program
        exported = copy.copy(self.exported)
        exported.components = {name: component}
        with quiet():
            exported.save_pretrained(out)
        return FILES[self.runtime]


def trace(
    model: Any, runtime: Runtime, *, choices: bool, halves: bool = False, whole: bool = False
) -> Traced:
    """Trace a transformers model.

    Args:
        choices: whether it takes `[batch, choices, tokens]`.
        halves: store weights in fp16 (OpenVINO).
        whole: compute all tokens in the last layer, also for a head that reads `<s>` alone.
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
    exporter, config = _exporter(runtime, halves, dict.fromkeys(sample, axes))
    before = model.config.output_hidden_states
    model.config.output_hidden_states = True
    try:
        shorter = nullcontext(False) if whole else first_token_alone(model, sample)
        with quiet(), shorter as shortened:
            exported = exporter.export(model, sample, config=config)
    finally:
        model.config.output_hidden_states = before
    traced = Traced(runtime, exported, sample, shortened)
    if shortened:
        _drop(traced, f"hidden_states.{model.config.num_hidden_layers}")
    return traced


def _drop(traced: Traced, name: str) -> None:
    """Take an output away."""
    program = traced.program
    if traced.runtime == "openvino":
        program.remove_result(program.output(name).node)
    else:
        (output,) = [value for value in program.graph.outputs if value.name == name]
        program.graph.outputs.remove(output)


def _exporter(runtime: Runtime, halves: bool, shapes: dict[str, Any]) -> tuple[Any, Any]:
    """What transformers exports with to a runtime, and its config."""
    from transformers import exporters

    if runtime == "openvino":
        return exporters.OpenVINOExporter(), exporters.OpenVINOConfig(
            dynamic=True, dynamic_shapes=shapes, compress_to_fp16=halves
        )
    return exporters.OnnxExporter(), exporters.OnnxConfig(dynamic=True, dynamic_shapes=shapes)


def strip(program: Any) -> None:
    """Drop the traces the exporter leaves on every node of an `onnx_ir.Model`: half a megabyte,
    and local paths."""
    for graph in program.graphs():
        for node in graph:
            node.metadata_props.clear()
            node.doc_string = None
        for value in (*graph.inputs, *graph.outputs, *graph.initializers.values()):
            value.metadata_props.clear()


@contextmanager
def quiet() -> Iterator[None]:
    """Without the chatter of exporters and quantizers."""
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.root.setLevel(level)
