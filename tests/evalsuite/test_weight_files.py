"""Files of weights that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite.errors import ModelError
from evalsuite.opening.weight_files import file_shapes


def test_a_file_without_rights_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, so the refusal is put in the system's place."""

    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    file = tmp_path / "model.safetensors"
    with pytest.raises(ModelError) as caught:
        file_shapes(file)
    assert str(caught.value) == f"{file} cannot be read: Permission denied"
