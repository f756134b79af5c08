"""this toolkit, ONNX Runtime."""

from __future__ import annotations

from typing import Any

from .child import toolkit

TITLE = "this toolkit, ONNX Runtime"
HEADS = ("pair", "tagging", None)
FORM = "onnxruntime"


def command(settings: Any) -> list[str] | None:
    """This interpreter."""
    return toolkit()
