"""SentenceTransformer with its backend for OpenVINO, in an environment of its versions."""

from __future__ import annotations

from typing import Any

TITLE = "sentence-transformers, openvino"
HEADS = (None,)
FORM = "openvino"
SCRIPT = (
    "from benchmarks.deploy_targets import child; child.serve(child.sentences('openvino', "
    "model_kwargs={'ov_config': {'INFERENCE_PRECISION_HINT': 'f32'}}))"
)


def command(settings: Any) -> list[str] | None:
    """The interpreter of --python-openvino."""
    return [settings.python_openvino, "-c", SCRIPT] if settings.python_openvino else None
