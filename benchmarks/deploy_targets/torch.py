"""this toolkit, torch, fp32."""

from __future__ import annotations

import sys
from typing import Any

TITLE = "this toolkit, torch, fp32"
HEADS = ("pair", "tagging", None)
FORM = "checkpoint"


def command(settings: Any) -> list[str] | None:
    """This interpreter."""
    return [
        sys.executable,
        "-c",
        "from benchmarks.deploy_targets import child; child.serve(child.own)",
    ]
