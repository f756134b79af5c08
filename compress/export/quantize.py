"""Quantize a traced graph, as the runtime's exporter does it.

>>> program = quantize(traced, Quantizing("int8", samples=samples))
"""

from __future__ import annotations

from typing import Any

from compress.export.exporter import Quantizing
from compress.export.registry import graph_exporter
from compress.export.trace import Traced, quiet


def quantize(traced: Traced, how: Quantizing) -> Any:
    """The graph in a precision; the traced one where there is nothing to quantize.

    Raises:
        MissingExtraError: an optional package is not installed.
    """
    with quiet():
        return graph_exporter(traced.runtime).quantize(traced.program, traced.sample, how)
