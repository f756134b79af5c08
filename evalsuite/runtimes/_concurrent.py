"""Batches beside each other, one thread each.

One batch on all threads leaves them waiting for each other at every layer, and what is small runs
on one of them. With many batches to run, threads are better kept on one each (docs/LOG.md).
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
    """What comes of each item, in their order, with at most that many begun and not yet taken.

    Args:
        start: begins an item and returns what waits for it; both are called by this thread.

    >>> list(in_order(lambda letter: letter.upper, "abc", most=2))
    ['A', 'B', 'C']

    An error of an item is raised in its place. Whatever ends this first, what is begun is waited
    for.
    """
    begun: deque[Callable[[], Result]] = deque()
    try:
        for item in items:
            begun.append(start(item))
            if len(begun) == most:
                yield begun.popleft()()
        while begun:
            yield begun.popleft()()
    finally:
        while begun:
            with suppress(Exception):
                begun.popleft()()
