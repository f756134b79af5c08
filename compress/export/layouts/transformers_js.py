"""Files as transformers.js looks for them: the graph in one file, `onnx/model_quantized.onnx`.

>>> arrange(Path("int8"), card).file
'onnx/model_quantized.onnx'

transformers.js (4.3) takes the name of the file from the type it is asked for: `model.onnx` for
`fp32`, `model_quantized.onnx` for `q8`, `model_q4.onnx` for `q4`; `config.json` says which to take.
It computes every output of a graph, so only those that it reads are kept: the head's, or an
encoder's last hidden states. The bundle is still one for ONNX Runtime, and opens as any.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from compress.errors import ExportError
from compress.export.bundle import BundleCard
from evalsuite.runtimes._bundle import default_outputs

NAME = "transformers.js"
RUNTIME = "onnxruntime"
HEADS = ("pair", "tagging", "span", None)
_TYPES = {"fp32": "fp32", "int4-weights": "q4"}  # precision -> its type; all others are q8
_SUFFIXES = {"fp32": "", "q8": "_quantized", "q4": "_q4"}
_TASKS = {
    "pair": "text-classification",
    "tagging": "token-classification",
    "span": "question-answering",
    None: "feature-extraction",
}
_NOTE = """
In JavaScript, with the bundle in `models/NAME`:

```js
import {{ env, pipeline }} from "@huggingface/transformers";

env.localModelPath = "models/";
const run = await pipeline("{task}", "NAME");
console.log(await run({text}));
```
"""
_LONGEST = 2**31 - 1  # bytes of a file of ONNX


def type_of(precision: str) -> str:
    """The `dtype` of transformers.js for a precision.

    >>> type_of("int8-weights")
    'q8'
    """
    return _TYPES.get(precision, "q8")


def refusal(runtime: str, head: str | None) -> str | None:
    """Why a bundle cannot have this layout; None where it can.

    >>> refusal("openvino", "pair")
    'transformers.js runs ONNX graphs: set runtime: onnxruntime'
    """
    if runtime != RUNTIME:
        return f"{NAME} runs ONNX graphs: set runtime: {RUNTIME}"
    if head not in HEADS:
        return f"{NAME} has no class that reads the graph of a model of choices"
    return None


def arrange(folder: Path, card: BundleCard) -> BundleCard:
    """Rewrite the files of a bundle, in place; the card, with the name of the new file.

    Raises:
        ExportError: the graph does not fit into one file.
    """
    kind = type_of(card.precision)
    file = f"onnx/model{_SUFFIXES[kind]}.onnx"
    arranged = replace(card, file=file, layout=NAME)
    _rewrite_graph(folder / card.file, folder / file, _outputs(card))
    _rewrite_json(folder / "config.json", {"transformers.js_config": {"dtype": kind}})
    _rewrite_json(folder / "tokenizer.json", {})  # without the spaces between its entries
    (folder / "export.json").unlink(missing_ok=True)  # it names the file that is gone
    return arranged


def note(card: BundleCard) -> str:
    """A paragraph for the README: the bundle in JavaScript."""
    text = '"Where is it?", "It is in Rome."' if card.head == "span" else '"A man is reading."'
    more = "" if card.labels else ', { pooling: "mean", normalize: true }'
    return _NOTE.format(task=_TASKS[card.head], text=text + more)


def _outputs(card: BundleCard) -> tuple[str, ...]:
    usual = default_outputs(card.as_json())
    return usual if card.labels else ("last_hidden_state", *usual)


def _rewrite_graph(source: Path, target: Path, outputs: tuple[str, ...]) -> None:
    """Write a graph with its weights in one file, and with some of its outputs."""
    import onnx_ir
    from onnx_ir.passes import common

    model = onnx_ir.load(source)
    kept = [value for value in model.graph.outputs if value.name in outputs]
    model.graph.outputs.clear()
    model.graph.outputs.extend(kept)
    common.RemoveUnusedNodesPass()(model)
    bytes_ = sum(value.const_value.nbytes for value in model.graph.initializers.values())
    if bytes_ > _LONGEST:
        raise ExportError(
            f"layout: {NAME} wants the graph in one file, and this one has {bytes_:,} bytes of "
            f"weights; a file of ONNX has {_LONGEST:,} at most; export in another precision, or "
            "trim the vocabulary"
        )
    target.parent.mkdir(exist_ok=True)
    onnx_ir.save(onnx_ir.external_data.load_to_model(model), target)
    for path in source.parent.glob(f"{source.name}*"):
        path.unlink()


def _rewrite_json(path: Path, more: Mapping[str, Any]) -> None:
    content = json.loads(path.read_text(encoding="utf-8")) | more
    indent = 2 if more else None
    separators = None if more else (",", ":")
    text = json.dumps(content, ensure_ascii=False, indent=indent, separators=separators)
    path.write_text(text, encoding="utf-8")
