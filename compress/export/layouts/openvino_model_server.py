"""A model directory of OpenVINO Model Server: `1/openvino_model.xml` and `model_server.json`.

>>> arrange(Path("int8"), card).file
'1/openvino_model.xml'

`model_server.json` is what `ovms --config_path` takes: the name `model`, this folder, and the type
that OpenVINO computes in where nothing is quantized. Without that the server would compute in bf16
where a processor has it.

Source: docs/models_repository_classic.md, docs/parameters.md and src/schema.cpp of
openvinotoolkit/model_server (August 2026).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from compress.export.bundle import BundleCard
from compress.export.layouts import _infer_request, _json_files
from compress.export.layouts._graph_file import forget_export, read_outputs

NAME = "openvino-model-server"
RUNTIME = "openvino"
FILE = "1/openvino_model.xml"  # folder of the first version
CONFIG = "model_server.json"
MODEL = "model"  # the name that it is served under
_NOTE = """
For OpenVINO Model Server: `ovms --config_path {config} --rest_port 8000` in this folder.
A request in Python:

```python
{script}```
"""


def refusal(runtime: str, head: str | None, model_type: str | None = None) -> str | None:
    """Why a bundle cannot have this layout; None where it can.

    >>> refusal("torch", "pair")
    'openvino-model-server runs graphs of OpenVINO: set runtime: openvino'
    """
    if runtime != RUNTIME:
        return f"{NAME} runs graphs of OpenVINO: set runtime: {RUNTIME}"
    return None


def arrange(folder: Path, card: BundleCard) -> BundleCard:
    """Rewrite the files of a bundle, in place; the card, with the name of the new file.

    Raises:
        MissingExtraError: OpenVINO is not installed.
    """
    from evalsuite.runtimes import openvino

    package = openvino.load()
    source, target, wanted = folder / card.file, folder / FILE, set(read_outputs(card))
    model = package.Core().read_model(source)
    for output in list(model.outputs):
        if not wanted & output.get_names():
            model.remove_result(output.node)
    target.parent.mkdir(exist_ok=True)
    package.save_model(model, target, compress_to_fp16=False)
    del model, output  # they hold the file of the weights
    for path in (source, source.with_suffix(".bin")):
        path.unlink()
    forget_export(folder)
    config = {
        "name": MODEL,
        "base_path": ".",
        "target_device": "CPU",
        "plugin_config": {"INFERENCE_PRECISION_HINT": openvino.HINTS[card.precision]},
    }
    _json_files.write(folder / CONFIG, {"model_config_list": [{"config": config}]})
    return replace(card, file=FILE, layout=NAME)


def note(card: BundleCard) -> str:
    """A paragraph for the README: how the server is started, and asked."""
    return _NOTE.format(config=CONFIG, script=_infer_request.script(card, MODEL))
