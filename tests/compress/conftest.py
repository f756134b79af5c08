"""Fixtures of several tests of passes."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def traced(tagger):
    """Its graph for ONNX Runtime; quantizing leaves it as it is."""
    from compress.export import graph
    from evalsuite.runtimes.torch import load_checkpoint

    model = load_checkpoint(tagger)
    return graph.trace(model, "onnxruntime", choices=False, precision="fp32", whole=False)
