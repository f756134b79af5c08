"""The exporters, one file per runtime in `compress/export/runtimes/`, and the layouts of files.

>>> EXPORTERS.names()
('executorch', 'numpy', 'onnxruntime', 'openvino', 'torch')
>>> list(EXPORTERS.get("torch").precisions)
['bf16', 'int8', 'nf4']
"""

from __future__ import annotations

from types import ModuleType

from compress.export.exporter import Exporter, GraphExporter
from evalsuite.catalog import Catalogue

EXPORTERS: Catalogue[Exporter] = Catalogue(
    "compress.export.runtimes", "runtime", attribute="EXPORTER", group="exporters"
)


LAYOUTS: Catalogue[ModuleType] = Catalogue("compress.export.layouts", "layout")


def layouts() -> dict[str, ModuleType]:
    """The layouts by the name that a recipe gives.

    >>> list(layouts())
    ['openvino-model-server', 'text-embeddings-inference', 'transformers.js', 'triton']
    """
    found = (LAYOUTS.get(name) for name in LAYOUTS.names())
    return {layout.NAME: layout for layout in found}


def graph_exporter(runtime: str) -> GraphExporter:
    """The exporter of a runtime that runs graphs.

    Raises:
        UnknownNameError: there is no such runtime.
        TypeError: its bundles are checkpoints, not graphs.
    """
    exporter = EXPORTERS.get(runtime)
    if not isinstance(exporter, GraphExporter):
        raise TypeError(f"a bundle for {runtime} is a checkpoint, not a graph")
    return exporter


def precisions() -> tuple[str, ...]:
    """The precisions of all runtimes, each once."""
    every = (name for runtime in EXPORTERS.names() for name in EXPORTERS.get(runtime).precisions)
    return tuple(dict.fromkeys(every))


def runtimes_with(precision: str) -> tuple[str, ...]:
    """The runtimes whose bundles can have this precision.

    >>> runtimes_with("bf16")
    ('openvino', 'torch')
    """
    return tuple(name for name in EXPORTERS.names() if precision in EXPORTERS.get(name).precisions)
