"""A model directory of Triton Inference Server: `config.pbtxt` and `1/model.onnx`.

>>> arrange(Path("int8"), card).file
'1/model.onnx'

The folder of the bundle is the directory of one model in a model repository, and its name is the
model's, so `config.pbtxt` gives none. Triton computes the outputs that `config.pbtxt` lists, and
compares their shapes with the graph's. It batches requests of equal shapes; the client pads.

Source: docs/user_guide/model_repository.md and model_configuration.md of
triton-inference-server/server (August 2026); src/onnxruntime.cc of its onnxruntime_backend.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from compress.export.bundle import BundleCard
from compress.export.layouts import _infer_request
from compress.export.layouts._graph_file import LAST, write_one_file

NAME = "triton"
RUNTIME = "onnxruntime"
FILE = "1/model.onnx"  # folder of the first version
CONFIG = "config.pbtxt"
LABELS = "labels.txt"
_LARGEST_BATCH = 64  # rows
_DELAY = 2000  # microseconds that a request waits for others
_NOTE = """
For Triton Inference Server, with this folder in `models/NAME`:
`tritonserver --model-repository models`. It joins requests of equal length into batches, so pad to
few lengths. A request in Python:

```python
{script}```
"""


def refusal(runtime: str, head: str | None, model_type: str | None = None) -> str | None:
    """Why a bundle cannot have this layout; None where it can.

    >>> refusal("openvino", "pair")
    'triton is written for its ONNX Runtime backend: set runtime: onnxruntime'
    """
    if runtime != RUNTIME:
        return f"{NAME} is written for its ONNX Runtime backend: set runtime: {RUNTIME}"
    return None


def arrange(folder: Path, card: BundleCard) -> BundleCard:
    """Rewrite the files of a bundle, in place; the card, with the name of the new file.

    Raises:
        ExportError: the graph does not fit into one file.
    """
    arranged = replace(card, file=FILE, layout=NAME)
    shapes = _shapes(folder, card)
    write_one_file(folder / card.file, folder / FILE, card, NAME, shapes)
    named = card.head == "pair" and card.answers == "label"
    if named:
        text = "".join(f"{' '.join(label.split())}\n" for label in card.labels)
        (folder / LABELS).write_text(text, encoding="utf-8")
    text = _config(shapes, LABELS if named else None, choices=card.head == "choice")
    (folder / CONFIG).write_text(text, encoding="utf-8")
    return arranged


def note(card: BundleCard) -> str:
    """A paragraph for the README: how Triton is started, and asked."""
    return _NOTE.format(script=_infer_request.script(card, "NAME"))


def _shapes(folder: Path, card: BundleCard) -> dict[str, tuple[int, ...]]:
    """The outputs with their shapes, without the first axis, the batch."""
    if not card.labels:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return {LAST: (-1, config["hidden_size"])}
    count = len(card.labels)
    if card.head == "span":
        return {"start_logits": (-1,), "end_logits": (-1,)}
    if card.head == "choice":
        return {"logits": (-1,)}
    return {"logits": (-1, count) if card.head == "tagging" else (count,)}


def _config(shapes: dict[str, tuple[int, ...]], labels: str | None, *, choices: bool) -> str:
    """The text of `config.pbtxt`."""
    length = (-1, -1) if choices else (-1,)
    names = ("input_ids", "attention_mask")
    inputs = ",\n".join(_tensor(name, "TYPE_INT64", length) for name in names)
    outputs = ",\n".join(_tensor(name, "TYPE_FP32", n, labels) for name, n in shapes.items())
    return (
        f'backend: "onnxruntime"\nmax_batch_size: {_LARGEST_BATCH}\n'
        f"input [\n{inputs}\n]\noutput [\n{outputs}\n]\n"
        f"dynamic_batching {{ max_queue_delay_microseconds: {_DELAY} }}\n"
        "instance_group [ { count: 1 kind: KIND_CPU } ]\n"
    )


def _tensor(name: str, kind: str, sizes: tuple[int, ...], labels: str | None = None) -> str:
    more = f' label_filename: "{labels}"' if labels else ""
    dims = ", ".join(map(str, sizes))
    return f'  {{ name: "{name}" data_type: {kind} dims: [ {dims} ]{more} }}'
