"""Fixtures of several tests of training."""

from __future__ import annotations

from pathlib import Path

import published
import pytest

from evalsuite.task import DataSource


@pytest.fixture(scope="session")
def generated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated rows of every intermediate task, in the layouts they are published in."""
    here = tmp_path_factory.mktemp("published")
    for name in published.NAMES:
        published.write(name, here, published.SIZES)
    return here


@pytest.fixture
def generated(generated_folder: Path) -> DataSource:
    """Where these rows are read from."""
    return DataSource("xtreme", generated_folder)
