"""The options that a `distill` stage hands to the distillation, without one.

>>> options = options_of(config, Artifact("checkpoint", "xnli"), tmp_path, monkeypatch)
>>> options.balance_labels
False
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compress.distill import distill as distilling
from evalsuite.task import DataSource
from recipes.stages import distill as stage
from recipes.stages._shared.contract import Artifact, Input, StageContext


def options_of(
    config: Any, teacher: Artifact, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Run the stage with a distillation that only takes its options, and return these."""
    given: list[Any] = []

    def taken(*args: Any, **more: Any) -> Any:
        given.append(args[3])
        return None, {}

    monkeypatch.setattr(distilling, "distill", taken)
    monkeypatch.setattr(stage, "compare_student", lambda config, ctx: {})
    inputs = {"teacher": (Input("t", folder, teacher),)}
    source = DataSource("embedded")
    stage.run(config, StageContext(folder, folder, inputs, source, seed=1, recipe="r"))
    return given[0]
