"""Every folder's `__init__.py` draws its map: what the folder is for, a line per file, no code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("evalsuite", "transfer", "compress", "recipes")
FOLDERS = sorted({path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")})
# Folders of components, one file each, whose names are listed by `lingopress ls`.
CATALOGUES = {
    "evalsuite/families",
    "evalsuite/metrics",
    "evalsuite/tasks",
    "transfer/intermediate",
}


def test_there_are_folders() -> None:
    assert len(FOLDERS) > 40


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_map_lists_what_is_there_and_holds_no_code(folder: Path) -> None:
    tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    text = ast.get_docstring(tree) or ""
    assert len(tree.body) == 1, "an __init__ holds its docstring alone"
    assert len(text.split("\n")[0]) > 15, "say what the folder is for"
    if folder.relative_to(ROOT).as_posix() in CATALOGUES:
        return
    files = {p.name for p in folder.glob("*.py")} - {"__init__.py"}
    listed = set(re.findall(r"^[-* ]*`?(\w+\.py)`?:\s+\S", text, re.MULTILINE))
    missing = sorted(files - listed)
    assert not missing, f"not in the map: {', '.join(missing)}"
    gone = sorted(listed - files)
    assert not gone, f"in the map, and no longer there: {', '.join(gone)}"
