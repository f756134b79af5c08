"""Energy that the processor used, from the counters of Linux (RAPL).

>>> meter = find()
>>> before = meter.read()
>>> run()
>>> meter.joules(before, meter.read())
3.2

`/sys/class/powercap/intel-rapl:<n>/energy_uj`, on Intel and AMD alike: microjoules of one processor
package since some moment, from 0 again after `max_energy_range_uj`. A counter is of the whole
package, so of all that runs on it. Most systems let only root read it, and virtual machines have
none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


@dataclass(frozen=True, slots=True)
class Meter:
    """Counters of all packages: where they are read, and the microjoules at which each wraps."""

    files: tuple[Path, ...]
    ranges: tuple[int, ...]

    def read(self) -> tuple[int, ...]:
        """Microjoules, one a package."""
        return tuple(int(file.read_text()) for file in self.files)

    def joules(self, before: Sequence[int], after: Sequence[int]) -> float:
        """What all packages took between two readings, less than one wrap apart."""
        taken = zip(before, after, self.ranges, strict=True)
        return sum((end - start) % (span + 1) for start, end, span in taken) / 1e6


def find(root: Path = POWERCAP) -> Meter | None:
    """The counters of this machine; None where there are none that may be read.

    Only packages count: cores, graphics and memory lie within them or are not on every processor.
    """
    files, ranges = [], []
    for zone in sorted(root.glob("intel-rapl:*")):
        try:
            if not (zone / "name").read_text().startswith("package"):
                continue
            int((zone / "energy_uj").read_text())
            ranges.append(int((zone / "max_energy_range_uj").read_text()))
        except (OSError, ValueError):
            return None
        files.append(zone / "energy_uj")
    return Meter(tuple(files), tuple(ranges)) if files else None
