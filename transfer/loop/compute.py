"""The precision that a training computes in.

>>> resolve_compute("auto")      # on a processor with AVX512-BF16
'bf16'
"""

from __future__ import annotations

from typing import Literal

from evalsuite.machine import environment
from evalsuite.machine.memory import has_gpu


def resolve_compute(compute: str) -> Literal["fp32", "bf16"]:
    """The precision to compute in.

    `auto` is bf16 (autocast) where the processor multiplies matrices in bf16, else fp32.
    """
    if compute != "auto":
        return "bf16" if compute == "bf16" else "fp32"
    if has_gpu():
        import torch

        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    flags = environment.capture(1).instruction_set
    return "bf16" if {"avx512_bf16", "amx_bf16"} & set(flags) else "fp32"
