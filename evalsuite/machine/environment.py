"""What a figure was measured with: processor, instruction set, threads, library versions."""

from __future__ import annotations

import os
import platform
from functools import cache
from importlib import metadata
from pathlib import Path

from evalsuite.results.record import Environment

_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
_PACKAGES = (
    "torch", "transformers", "peft", "bitsandbytes", "onnxruntime", "openvino", "executorch",
    "tokenizers", "seqeval", "numpy",
)  # fmt: skip


def capture(threads: int, device: str = "cpu") -> Environment:
    """Describe this machine and the installed libraries."""
    cpu, flags = _cpu()
    return Environment(
        cpu=cpu,
        instruction_set=tuple(flag for flag in _FLAGS if flag in flags),
        cores=os.cpu_count() or 1,
        threads=threads,
        device=device,
        system=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        versions={name: version for name in _PACKAGES if (version := _version(name))},
    )


def vnni() -> bool:
    """Whether the processor is known to sum products of int8 without overflow."""
    return any("vnni" in flag for flag in _cpu()[1])


def cores() -> int:
    """Processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def threads() -> int:
    """Threads a runtime computes on: OMP_NUM_THREADS, which torch reads too, or all cores."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() and int(asked) else cores()


@cache
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _cpu() -> tuple[str, set[str]]:
    """Model name and flags from /proc/cpuinfo, or what `platform` knows elsewhere."""
    path = Path("/proc/cpuinfo")
    if not path.is_file():
        return platform.processor() or platform.machine(), set()
    name, flags = platform.machine(), set[str]()
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            name = value.strip()
        elif key.strip() in ("flags", "Features"):
            flags = set(value.split())
            break
    return name, flags
