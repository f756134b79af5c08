"""The precision that a training computes in.

>>> resolve_compute("auto")      # on a processor with AMX
'bf16'
"""

from __future__ import annotations

import statistics
import time
from functools import cache
from typing import Literal

from evalsuite.machine import environment
from evalsuite.machine.memory import has_gpu

_SHAPE = (512, 384, 1536)  # rows, and the widths of a small encoder's largest layer
_ROUNDS = 9
_WORTH = 1.3  # bf16 is also rounded to and from, which products alone do not show


def resolve_compute(compute: str) -> Literal["fp32", "bf16"]:
    """The precision to compute in.

    `auto` is bf16 (autocast) where the processor has matrix units for it (AMX), else fp32. With
    AVX512-BF16 alone it is what a short measurement finds faster: torch computed products in bf16
    at 0.6 times the rate of fp32 on one such processor, and at 3 times on another.
    """
    if compute != "auto":
        return "bf16" if compute == "bf16" else "fp32"
    if has_gpu():
        import torch

        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    flags = environment.capture(1).instruction_set
    if "amx_bf16" in flags:
        return "bf16"
    return "bf16" if "avx512_bf16" in flags and bf16_gain() > _WORTH else "fp32"


@cache
def bf16_gain() -> float:
    """How many times as fast as in fp32 this processor multiplies in bf16, measured once.

    >>> round(bf16_gain(), 1)       # 0.1 s
    3.0
    """
    import torch

    rows, width, wider = _SHAPE
    seconds: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    for _ in range(_ROUNDS):  # in turns, so that other programs slow both
        for kind, found in seconds.items():
            left, right = torch.ones(rows, width, dtype=kind), torch.ones(width, wider, dtype=kind)
            begun = time.perf_counter()
            torch.mm(left, right)
            found.append(time.perf_counter() - begun)
    full, half = (statistics.median(found[1:]) for found in seconds.values())
    return full / half
