"""How the threads of one computation wait for each other: by spinning, or by sleeping.

A thread that spins tests a flag again and again. It answers at once, and takes the core from other
programs while it waits. On a free machine sleeping costs 8 to 17%. On a busy one, two trainings at
once took 15 times as long as one, and 2 times where the second slept. So threads sleep where the
machine is busy when the work begins, and spin for a short time otherwise (docs/LOG.md,
benchmarks/waiting_threads.py).

>>> choose()  # before torch is imported
>>> sleeps()
False

What a person set (`OMP_WAIT_POLICY`, `GOMP_SPINCOUNT` or `KMP_BLOCKTIME`) is left as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from evalsuite.machine import environment

POLICY, SPINS = "OMP_WAIT_POLICY", "GOMP_SPINCOUNT"
_SET_BY_PERSON = (POLICY, SPINS, "KMP_BLOCKTIME")
_SET_BY_US = "LINGOPRESS_WAITING"  # children see it too

SHORT_SPIN = "20000"
"""Tests of the flag. libgomp's own default is 300,000. This costs less than 2% alone, and two
trainings that begin together take 3 times as long as one instead of 15."""

BUSY = 0.25
"""The share of all processors that makes a machine busy."""
_SAMPLE_SECONDS = 0.1


def choose() -> None:
    """Set the environment for libraries that are loaded later; once per process and its children.

    Takes 0.1 s where nothing is chosen yet. With one thread nothing waits, and nothing is set.
    """
    if environment.threads() == 1 or any(name in os.environ for name in _SET_BY_PERSON):
        return
    os.environ[_SET_BY_US] = "1"
    if busy_share() >= BUSY:
        os.environ[POLICY] = "passive"
    else:
        os.environ[SPINS] = SHORT_SPIN


def sleeps() -> bool:
    """Whether threads wait by sleeping."""
    return os.environ.get(POLICY, "").lower() == "passive"


@contextmanager
def as_if_alone() -> Iterator[None]:
    """Spin inside, for a measurement of speed, unless a person asked for sleeping."""
    if _SET_BY_US not in os.environ or not sleeps():
        yield
        return
    del os.environ[POLICY]
    os.environ[SPINS] = SHORT_SPIN
    try:
        yield
    finally:
        del os.environ[SPINS]
        os.environ[POLICY] = "passive"


def busy_share() -> float:
    """The share of all processors, from 0 to 1, that other programs use now."""
    import psutil

    return psutil.cpu_percent(interval=_SAMPLE_SECONDS) / 100
