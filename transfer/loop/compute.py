"""The precision that a training computes in.

>>> resolve_compute("auto")      # on a processor with AMX
'bf16'
"""

from __future__ import annotations

from typing import Literal

from evalsuite.machine import environment
from evalsuite.machine.memory import has_gpu


def resolve_compute(compute: str) -> Literal["fp32", "bf16"]:
    """The precision to compute in.

    `auto` is bf16 (autocast) where the processor has matrix units for it (AMX), else fp32: with
    AVX512-BF16 alone torch computes products in bf16 at 0.6 times the rate of fp32, measured at
    widths of 384, 768 and 1024.
    """
    if compute != "auto":
        return "bf16" if compute == "bf16" else "fp32"
    if has_gpu():
        import torch

        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    flags = environment.capture(1).instruction_set
    return "bf16" if "amx_bf16" in flags else "fp32"
