"""How to install an extra: the documented command of a checkout, or that of a package."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite import install_command as module
from evalsuite.errors import MissingExtraError
from evalsuite.install_command import install_command

ROOT = Path(__file__).parents[2]


def test_a_checkout_names_the_documented_command() -> None:
    documented = "pip install -c constraints.txt -e '.[executorch]'"
    assert f"`{documented}`" in (ROOT / "docs/start.md").read_text(encoding="utf-8")
    assert install_command("executorch") == documented
    said = f"executorch is not installed; type in {ROOT}: {documented}"
    assert str(MissingExtraError("executorch", "executorch")) == said


def test_a_package_is_installed_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "_ROOT", tmp_path)
    said = "ray is not installed; type: pip install 'lingopress[cluster]'"
    assert str(MissingExtraError("ray", "cluster")) == said
