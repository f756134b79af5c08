"""ExecuTorch's runtime, without the exporter that its own Python module imports first.

>>> from evalsuite.runtimes._executorch import runtime

`executorch.extension.pybindings.portable_lib` imports executorch's exporter and torchao only to
warn that it is experimental: 6 s in place of 0.1 s, and 140 MB. So its library is imported as it
is; it needs torch's libraries to be loaded before.
"""

from __future__ import annotations

import torch
from executorch.extension.pybindings import _C as runtime

__all__ = ["runtime", "torch"]
