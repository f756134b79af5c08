"""Several batches at the same time, one thread each.

With one batch on all threads, threads wait for each other at every layer, and small operations run
on one of them. Many batches are faster with one thread each (docs/LOG.md).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    start: Callable[[Item], Callable[[], Result]], items: Iterable[Item], most: int
) -> Iterator[Result]:
    """The result of each item, in order.

    Args:
        start: starts an item and returns the function that waits for its result; both are called
            by this thread.
        most: items started and not yet waited for.

    >>> list(in_order(lambda letter: letter.upper, "abc", most=2))
    ['A', 'B', 'C']

    An error of an item is raised in its place. However this ends, items that were started are
    waited for.
    """
    started: deque[Callable[[], Result]] = deque()
    try:
        for item in items:
            started.append(start(item))
            if len(started) == most:
                yield started.popleft()()
        while started:
            yield started.popleft()()
    finally:
        while started:
            with suppress(Exception):
                started.popleft()()
