"""this toolkit, OpenVINO."""

from __future__ import annotations

from typing import Any

from .child import toolkit

TITLE = "this toolkit, OpenVINO"
HEADS = ("pair", "tagging", None)
FORM = "openvino"


def command(settings: Any) -> list[str] | None:
    """This interpreter."""
    return toolkit()
