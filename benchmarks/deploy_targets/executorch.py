"""this toolkit, ExecuTorch."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from .child import toolkit

TITLE = "this toolkit, ExecuTorch"
HEADS = ("pair", "tagging", None)
FORM = "executorch"


def command(settings: Any) -> list[str] | None:
    """This interpreter, where it has ExecuTorch."""
    if find_spec("executorch") is None:
        return None
    return toolkit()
