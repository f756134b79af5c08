"""The openvino package, imported so that it reports nothing.

>>> from evalsuite.runtimes._openvino import openvino

OpenVINO reports every import and conversion to its makers, and writes an identifier below the home
directory for that, unless `openvino_telemetry` cannot be imported. This toolkit works offline and
does not report on its users, so it makes that package impossible to import first. Import openvino
from here and nowhere else in this toolkit.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino  # noqa: E402

__all__ = ["openvino"]
