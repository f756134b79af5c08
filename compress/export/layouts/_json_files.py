"""JSON files of a bundle that a layout adds to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def rewrite(path: Path, more: Mapping[str, Any], without: Sequence[str] = ()) -> None:
    """Set some entries of a file, and take others out."""
    content = json.loads(path.read_text(encoding="utf-8"))
    kept = {name: value for name, value in content.items() if name not in without}
    write(path, {**kept, **more})


def write(path: Path, content: Any, indent: int | None = 2) -> None:
    """Write a file, and its folder where there is none.

    Args:
        indent: of its lines; None: in one line, without spaces between the entries.
    """
    path.parent.mkdir(exist_ok=True)
    separators = (",", ":") if indent is None else None
    text = json.dumps(content, ensure_ascii=False, indent=indent, separators=separators)
    path.write_text(text + "\n", encoding="utf-8")
