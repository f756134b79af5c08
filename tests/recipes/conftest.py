"""Fixtures of several tests of recipes."""

from __future__ import annotations

from pathlib import Path

import pytest
from searches import FAKES


@pytest.fixture
def bench(lab, monkeypatch):
    """The lab, with models that know their figures, and the report that ships."""
    import recipes.stages

    shipped = str(Path(recipes.stages.__file__).parent)
    lab.stages = [str(FAKES), shipped]
    monkeypatch.setattr(recipes.stages, "__path__", lab.stages)
    return lab


@pytest.fixture
def no_charts(monkeypatch):
    """For tests that read a report's numbers: to draw one takes most of the time of a search."""
    from evalsuite.report.charts import draw_points

    monkeypatch.setattr(draw_points, "draw", lambda chart, prefix: "")


@pytest.fixture
def cli(capfd):
    """Run a command, which must end with this exit code; what it prints, and its messages."""
    from recipes.cli.app import main

    def run(code: int, *arguments: str) -> tuple[str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        shown = capfd.readouterr()
        assert (end.value.code or 0) == code, shown.err
        return shown.out, shown.err

    return run
