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
from dataclasses import replace
from pathlib import Path

from compress.export.bundle import BundleCard
from compress.export.example_script import sentence
from compress.export.layouts import _json_files
from compress.export.layouts._graph_file import write_one_file
from evalsuite.static.kind import MODEL_TYPE

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


def type_of(precision: str) -> str:
    """The `dtype` of transformers.js for a precision.

    >>> type_of("int8-weights")
    'q8'
    """
    return _TYPES.get(precision, "q8")


def refusal(runtime: str, head: str | None, model_type: str | None = None) -> str | None:
    """Why a bundle cannot have this layout; None where it can.

    >>> refusal("openvino", "pair")
    'transformers.js runs ONNX graphs: set runtime: onnxruntime'
    """
    if runtime != RUNTIME:
        return f"{NAME} runs ONNX graphs: set runtime: {RUNTIME}"
    if head not in HEADS:
        return f"{NAME} has no class that reads the graph of a model of choices"
    if head is not None and model_type == MODEL_TYPE:
        return (
            f"{NAME} has no class for a static model with a head; serve it with lingopress serve, "
            "or distill an encoder"
        )
    return None


def arrange(folder: Path, card: BundleCard) -> BundleCard:
    """Rewrite the files of a bundle, in place; the card, with the name of the new file.

    Raises:
        ExportError: the graph does not fit into one file.
    """
    kind = type_of(card.precision)
    file = f"onnx/model{_SUFFIXES[kind]}.onnx"
    arranged = replace(card, file=file, layout=NAME)
    write_one_file(folder / card.file, folder / file, card, NAME)
    _json_files.rewrite(folder / "config.json", {"transformers.js_config": {"dtype": kind}})
    tokenizer = folder / "tokenizer.json"
    _json_files.write(tokenizer, json.loads(tokenizer.read_text(encoding="utf-8")), indent=None)
    return arranged


def note(card: BundleCard) -> str:
    """A paragraph for the README: the bundle in JavaScript."""
    text = '"Where is it?", "It is in Rome."' if card.head == "span" else '"A man is reading."'
    if not card.labels:
        text = f'{sentence(card)}, {{ pooling: "{card.vectors.pooling}", normalize: true }}'
    return _NOTE.format(task=_TASKS[card.head], text=text)
