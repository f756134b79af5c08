"""Fixtures of several tests of passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from heads import headed


@pytest.fixture(scope="session")
def tagger(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that tags words."""
    return headed(tiny_base, "tagging", tmp_path_factory.mktemp("tagger"))


@pytest.fixture(scope="session")
def traced(tagger):
    """Its graph for ONNX Runtime; quantizing leaves it as it is."""
    from compress.export import graph
    from evalsuite.runtimes.torch import load_checkpoint

    model = load_checkpoint(tagger)
    return graph.trace(model, "onnxruntime", choices=False, precision="fp32", whole=False)
