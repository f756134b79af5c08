"""Exports of models of one shape share a traced graph: tracing is most of what an export takes.

>>> trace_once(patch)  # from here on, in this process
>>> export(model, out, precision="fp32")

A shape is traced once, with random weights in all parameters, and the graph is kept on disk
(`made_once`). An export gets the file with its model's weights where the random ones were: the
bytes of a parameter, as they are or transposed, in fp32 or fp16. A graph where some parameter is
not found so, as after folding, is not shared. Tests that call `compress.export.trace` itself get
what it makes.
"""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.made_once import made_once

# Heads of tags, spans and ranked text do not read the pooler.
UNREAD = ("pooler.",)
# What in a configuration does not reach the graph, or shows in the parameters' shapes and types.
NAMES = (
    *("id2label", "label2id", "num_labels", "problem_type", "dtype", "_name_or_path"),
    "finetuning_task",
)
# Heads that read all tokens: their graphs are whole, whatever is asked for.
WHOLE = ("ForTokenClassification", "ForQuestionAnswering")
SHARED = "shared.json"


def trace_once(patch: pytest.MonkeyPatch) -> None:
    """Put weights into a kept graph where `compress.export.graph` would trace a model."""
    from compress.export import graph
    from compress.export.registry import graph_exporter
    from compress.export.trace import Traced

    trace = vars(graph)["trace"]

    def traced(
        model: Any, runtime: str, *, choices: bool, precision: str, whole: bool, kept: Any = None
    ) -> Traced:
        tracer, settings = graph_exporter(runtime).tracer(precision, {})  # few precisions change it
        how = {"choices": choices, "precision": precision, "whole": whole, "kept": kept}

        def make(out: Path) -> None:
            random = _with_random_weights(model)
            _keep(trace(random, runtime, **how), random, out)

        all_tokens = whole or type(model).__name__.endswith(WHOLE)
        shape = f"{_shape_of(model)} {runtime} {settings} {choices} {all_tokens} {kept or ''}"
        folder = made_once(f"graph-{hashlib.sha256(shape.encode()).hexdigest()[:16]}", make)
        if not (folder / SHARED).is_file():
            plain: Traced = trace(model, runtime, **how)
            return plain
        shared: Traced = _read(folder, model, runtime, tracer)
        return shared

    patch.setattr(graph, "trace", traced)


def _shape_of(model: Any) -> str:
    """All of a model but the values of its parameters and the names of its labels."""
    config = {key: value for key, value in model.config.to_dict().items() if key not in NAMES}
    parts = [str(model), str(model.training), json.dumps(config, sort_keys=True, default=str)]
    parts += [f"{name} {p.dtype} {tuple(p.shape)}" for name, p in model.named_parameters()]
    parts += [f"{name} {b.dtype} {b.tolist()}" for name, b in model.named_buffers()]
    return "\n".join(parts)


def _with_random_weights(model: Any) -> Any:
    """A copy where no two parameters are alike."""
    import torch

    random = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in random.parameters():
            parameter.normal_(std=0.2, generator=generator)
    return random


def _bytes_of(parameter: Any) -> Iterator[tuple[str, bytes]]:
    """The ways in which a graph may store a parameter, by name."""
    for form in ("fp32", "fp16"):
        array = parameter.detach().cpu().float().numpy()
        array = array.astype("float16") if form == "fp16" else array
        yield form, array.tobytes()
        if min(array.shape) > 1 < array.ndim:
            yield f"{form} transposed", array.T.tobytes()


def _keep(traced: Any, random: Any, out: Path) -> None:
    """Write a graph and where each parameter stands in its files."""
    traced.exported.save_pretrained(out)
    files = {path.name: path.read_bytes() for path in out.iterdir() if path.suffix != ".json"}
    places: list[tuple[str, str, str, int]] = []
    for name, parameter in random.named_parameters():
        found = [
            (name, form, file, content.index(stored))
            for form, stored in _bytes_of(parameter)
            for file, content in files.items()
            if content.count(stored) == 1
        ]
        if len(found) != 1 and not any(part in name for part in UNREAD):
            return
        places += found
    sample = {name: tensor.tolist() for name, tensor in traced.sample.items()}
    kept = {"places": places, "sample": sample, "shortened": traced.shortened}
    (out / SHARED).write_text(json.dumps(kept))


def _read(kept: Path, model: Any, runtime: str, tracer: Any) -> Any:
    """The graph in `kept` with this model's weights."""
    import torch
    from transformers.exporters.base import EXPORT_MANIFEST_FILE, ExportedComponent, ExportedModel
    from transformers.exporters.metadata import ExportMetadata

    from compress.export.trace import Traced

    notes = json.loads((kept / SHARED).read_text())
    parameters = dict(model.named_parameters())
    folder = Path(tempfile.mkdtemp(prefix="graph-"))
    for path in kept.iterdir():
        content = bytearray(path.read_bytes())
        for name, form, file, start in notes["places"]:
            if file == path.name:
                stored = dict(_bytes_of(parameters[name]))[form]
                content[start : start + len(stored)] = stored
        (folder / path.name).write_bytes(content)
    ((name, entry),) = json.loads((folder / EXPORT_MANIFEST_FILE).read_text())["components"].items()
    program = tracer.load_program(folder / entry["file"])
    if runtime == "onnxruntime":  # quantizers read the weights without knowing the folder
        from onnx_ir import external_data

        program = external_data.load_to_model(program)
    component = ExportedComponent(program, ExportMetadata.from_dict(entry["metadata"]))
    exported = ExportedModel({name: component}, tracer.export_format, config=model.config)
    weakref.finalize(exported, shutil.rmtree, folder)
    sample = {key: torch.tensor(value) for key, value in notes["sample"].items()}
    return Traced(runtime, exported, sample, notes["shortened"])
