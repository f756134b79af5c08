"""SentenceTransformer on the checkpoint."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

TITLE = "sentence-transformers, torch, fp32"
HEADS = (None,)
FORM = "checkpoint"
SCRIPT = "from benchmarks.deploy_targets import child; child.serve(child.sentences('torch'))"


def command(settings: Any) -> list[str] | None:
    """This interpreter, where the package is installed, else one that was named."""
    here = sys.executable if find_spec("sentence_transformers") else None
    python = here or settings.python_openvino or settings.python_onnx
    return [python, "-c", SCRIPT] if python else None
