"""SentenceTransformer with its backend for ONNX, in an environment of its versions."""

from __future__ import annotations

from typing import Any

TITLE = "sentence-transformers, onnx"
HEADS = (None,)
FORM = "onnxruntime"
SCRIPT = (
    "from benchmarks.deploy_targets import child; "
    "child.serve(child.sentences('onnx', model_kwargs={'provider': 'CPUExecutionProvider'}))"
)


def command(settings: Any) -> list[str] | None:
    """The interpreter of --python-onnx."""
    return [settings.python_onnx, "-c", SCRIPT] if settings.python_onnx else None
