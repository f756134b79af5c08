"""The tables of the intermediate tasks, where a task has too few rows for an interval."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pytest
from report_fakes import a_model, a_score

from evalsuite.results.task import ModelComparison
from evalsuite.task import DataSource
from transfer.registry import INTERMEDIATE_TASKS

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    import deltas
    import intermediates

    return deltas, intermediates


def test_a_difference_without_an_interval(scripts: tuple[Any, Any]) -> None:
    deltas, _ = scripts
    without, plain = a_score(a_model("none"), en=80, de=50), a_score(a_model("m"), en=80, de=52)
    few = ModelComparison(label="none", agreement={}, intervals={}, zero_shot_interval=None, p=None)
    sure = few.model_copy(update={"zero_shot_interval": (1.0, 3.0), "p": 0.01})

    def shown(comparison: ModelComparison | None) -> str:
        own = plain.model_copy(update={"comparison": comparison})
        return str(deltas.cell([own], [without]))

    assert shown(sure) == "+2.0* (+1.0 to +3.0)"
    assert shown(few) == "+2.0 (no interval: fewer than 10 rows)"
    assert shown(None) == "+2.0 (no interval: not compared)"


def test_a_score_without_an_interval(
    scripts: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, intermediates = scripts
    task, result = INTERMEDIATE_TASKS.get("rte"), a_score(a_model("m"), en=80)
    named = {
        "main_metric": task.metric,
        "metrics": {task.metric: {"en": 80}},
        "examples": {"en": 5},
    }
    steps = argparse.Namespace(summary={"steps": 1})
    monkeypatch.setattr(intermediates, "_real", lambda *_: DataSource("xtreme", tmp_path))
    monkeypatch.setattr(type(task), "available", lambda *_: True)
    monkeypatch.setattr(intermediates, "train_tasks", lambda *_, **__: steps)
    monkeypatch.setattr(intermediates, "open_model", lambda _: None)

    def line(**changed: object) -> str:
        found = result.model_copy(update=named | changed)
        monkeypatch.setattr(intermediates, "evaluate", lambda *_, **__: found)
        said = argparse.Namespace(model=tmp_path, data_dir=tmp_path, steps=1, rate=1e-3, dev=5)
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        return str(intermediates._line(task, folder, said))

    assert "80.0 (no interval: fewer than 10 rows), majority 33.3, 5 dev rows" in line()
    assert "80.0 (70.0 to 90.0), majority" in line(intervals={"en": (70.0, 90.0)})
