"""What a tokenizer costs: the time it takes to open, and the memory that it holds.

>>> cost = measure(Path("int8"))
>>> cost.memory, cost.load_seconds
(315000000, (0.84, 0.85, 0.84))

The memory of a model is measured on token ids, without its tokenizer. XLM-R's own tokenizer, with
250,002 pieces, holds more than a small int8 model.
"""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any

import psutil

from evalsuite import tokenization
from evalsuite.machine.child_process import leave_with
from evalsuite.opening.parsed import forget
from evalsuite.results.speed import TokenizerCost

LOADS = 3


def main(connection: Any, directory: Path) -> None:
    """Send the `TokenizerCost` over the connection, or why there is none."""
    leave_with(connection)
    try:
        result: TokenizerCost | str = measure(directory)
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    connection.send(result)


def measure(directory: Path) -> TokenizerCost:
    """Open the tokenizer in `directory`, in this process.

    Memory is what the process grows by when the tokenizer is opened for the first time.

    Raises:
        ModelError: it cannot be opened.
    """
    import tokenizers  # noqa: F401  the library's memory is not the tokenizer's

    gc.collect()
    before = psutil.Process().memory_info().rss
    loads, memory = [], 0
    for _ in range(LOADS):
        forget()
        started = time.perf_counter()
        tokenizer = tokenization.load(directory)
        loads.append(time.perf_counter() - started)
        memory = memory or max(0, psutil.Process().memory_info().rss - before)
        del tokenizer
    return TokenizerCost(load_seconds=tuple(loads), memory=memory)
