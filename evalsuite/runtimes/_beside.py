"""Batches beside each other, one thread each.

One batch on all threads leaves them waiting for each other at every layer, and what is small runs
on one of them. With many batches to run, threads are better kept on one each (docs/LOG.md).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    run: Callable[[Item], Result], items: Iterable[Item], threads: int
) -> Iterator[Result]:
    """What `run` gives for each item, in their order, that many at a time.

    >>> list(in_order(str.upper, "abc", threads=2))
    ['A', 'B', 'C']

    Items are read as threads come free, two a thread ahead of what is taken. An error of one is
    raised in its place.
    """
    pool = ThreadPoolExecutor(threads)
    running: deque[Future[Result]] = deque()
    try:
        for item in items:
            running.append(pool.submit(run, item))
            if len(running) == 3 * threads:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
