"""Memory of this process: its private pages, and those of files that it has mapped.

Weights in fp32 are mapped from their file, and read where they are used; the system takes such
pages back when it needs them. What a process cannot do without are its private pages, and the
mapped weights that it goes on using.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any


class Watch:
    """The largest memory of this process while the block runs, looked at every 2 ms."""

    def __enter__(self) -> Watch:
        self.private = self.resident = 0.0
        self.end = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()
        return self

    def _look(self) -> None:
        while not self.end.wait(0.002):
            private, whole = resident()
            self.private, self.resident = max(self.private, private), max(self.resident, whole)

    def __exit__(self, *error: object) -> None:
        self.end.set()
        self.thread.join()


def resident() -> tuple[float, float]:
    """Memory of this process in MB: its private pages, and all that is resident."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    size = {line.partition(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
    private = int(size["RssAnon"])
    return private / 1e3, (private + int(size["RssFile"]) + int(size["RssShmem"])) / 1e3


def mapped(model: Any) -> float:
    """Megabytes of a model's frozen weights that lie in mapped files; trained ones are private from
    the first step on."""
    ranges = []
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        if line.rstrip().endswith(".safetensors"):
            start, _, end = line.split(" ", 1)[0].partition("-")
            ranges.append((int(start, 16), int(end, 16)))
    frozen = [p for p in model.parameters() if not p.requires_grad]
    inside = [p for p in frozen if any(a <= p.data_ptr() < b for a, b in ranges)]
    return float(sum(p.nbytes for p in inside)) / 1e6
