"""this toolkit, torch, fp32."""

from __future__ import annotations

from typing import Any

from .child import toolkit

TITLE = "this toolkit, torch, fp32"
HEADS = ("pair", "tagging", None)
FORM = "checkpoint"


def command(settings: Any) -> list[str] | None:
    """This interpreter."""
    return toolkit()
