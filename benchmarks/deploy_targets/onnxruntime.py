"""this toolkit, ONNX Runtime."""

from __future__ import annotations

import sys
from typing import Any

TITLE = "this toolkit, ONNX Runtime"
HEADS = ("pair", "tagging", None)
FORM = "onnxruntime"


def command(settings: Any) -> list[str] | None:
    """This interpreter."""
    return [
        sys.executable,
        "-c",
        "from benchmarks.deploy_targets import child; child.serve(child.own)",
    ]
