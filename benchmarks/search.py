"""A million candidates searched exactly, in bounded memory.

python benchmarks/search.py [CANDIDATES] [QUERIES] [WIDTH]

Default 1,000,000 candidates, 15,000 queries, 768 wide: Mewsli-X's pool. Candidates are drawn block
by block, as `evalsuite.retrieval.embedding.rank` embeds them. In one run: the search, and the same
blocks through a plain matrix product whose result is thrown away, the least that any exact search
does. Prints both times without the drawing of blocks, their ratio, and the peak memory of the
process.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator

import numpy as np

from evalsuite.metrics.map_at_20 import CUT
from evalsuite.retrieval import nearest as search
from evalsuite.retrieval.cosine import unit
from evalsuite.retrieval.embedding import BLOCK


class Blocks:
    """The same random blocks each time; `seconds` is what drawing them took."""

    def __init__(self, candidates: int, width: int) -> None:
        self.candidates, self.width, self.seconds = candidates, width, 0.0

    def __iter__(self) -> Iterator[np.ndarray]:
        for start in range(0, self.candidates, BLOCK):
            began = time.perf_counter()
            rows = min(BLOCK, self.candidates - start)
            block = np.random.default_rng(start).standard_normal((rows, self.width), np.float32)
            self.seconds += time.perf_counter() - began
            yield block


def main(candidates: int = 1_000_000, queries: int = 15_000, width: int = 768) -> None:
    """Print times, ratio and memory."""
    sought = np.random.default_rng(1).standard_normal((queries, width), np.float32)

    blocks = Blocks(candidates, width)
    began = time.perf_counter()
    _, found = search.nearest(sought, blocks, CUT)
    ours = time.perf_counter() - began - blocks.seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    blocks = Blocks(candidates, width)
    near = unit(sought)
    began = time.perf_counter()
    for block in blocks:
        for start in range(0, queries, search.QUERIES):
            _ = near[start : start + search.QUERIES] @ block.T
    plain = time.perf_counter() - began - blocks.seconds

    print(
        f"{candidates:,} x {width}, {queries:,} queries, {found.shape[1]} each: {ours:.0f} s; "
        f"the matrix product alone {plain:.0f} s; ratio {ours / plain:.2f}; "
        f"peak memory {peak / 1e9:.2f} GB"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
