"""The openvino package, imported so that it reports nothing.

>>> from evalsuite.runtimes._openvino import openvino

OpenVINO tells its makers of every import and conversion, and writes an identifier below the home
directory to do so, unless `openvino_telemetry` cannot be imported, which it allows for. A toolkit
that works offline does not report on its users; so that package is put out of reach first. Import
openvino from here and nowhere else in this toolkit.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino  # noqa: E402

__all__ = ["openvino"]
