"""How much memory this machine has, and how much a piece of work takes, by part.

>>> need = Memory({"weights": 1_112_000_000, "activations": 90_000_000})
>>> need.total, machine_memory()
(1202000000, Place(name='RAM', bytes=25196310528))
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_LIMITS = (  # of a container: control groups of version 2 and 1
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_GPUS = (Path("/dev/nvidiactl"), Path("/dev/kfd"))  # drivers of NVIDIA and AMD


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes by what they are for; parts that are absent are 0.

    Attributes:
        apart: bytes of one part that are free again when those of another are needed.
    """

    parts: Mapping[str, int] = field(default_factory=dict)
    apart: int = 0

    @property
    def total(self) -> int:
        """The most that is held at the same time."""
        return sum(self.parts.values()) - self.apart

    def and_also(self, other: Memory) -> Memory:
        """Both at once."""
        names = dict.fromkeys((*self.parts, *other.parts))
        both = {name: self.parts.get(name, 0) + other.parts.get(name, 0) for name in names}
        return Memory(both, self.apart + other.apart)

    def times(self, count: int) -> Memory:
        """Of as many processes that do the same."""
        return Memory({name: count * size for name, size in self.parts.items()}, count * self.apart)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model is held: `RAM`, or a GPU by its name."""

    name: str
    bytes: int


def machine_memory() -> Place:
    """Where stages run: the first GPU torch sees, else the RAM that this process may use."""
    if has_gpu():
        import torch

        found = torch.cuda.get_device_properties(0)
        return Place(str(found.name), int(found.total_memory))
    return Place("RAM", ram())


def has_gpu() -> bool:
    """Whether torch sees a GPU; torch is not imported where there is none."""
    if "torch" not in sys.modules and not any(path.exists() for path in _GPUS):
        return False
    import torch

    return bool(torch.cuda.is_available())


def ram() -> int:
    """Bytes of RAM, or of the container's share of it; 0 where the system does not say."""
    sizes = [_total()]
    for path in _LIMITS:
        text = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
        if text.isdecimal():  # `max` where there is no limit
            sizes.append(int(text))
    return min(size for size in sizes if size) if any(sizes) else 0


def _total() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # no such number on this system
        return 0


def gigabytes(count: float) -> str:
    """`13.9 GB`.

    >>> gigabytes(13_926_000_000), gigabytes(41_000_000)
    ('13.9 GB', '0.04 GB')
    """
    return f"{count / 1e9:.{1 if count >= 1e8 else 2}f} GB"
