"""Keep what libraries print while a stage runs out of the display, in a log.

>>> with capture(Path("teacher.log")):
...     os.system("echo from anywhere")  # lands in teacher.log

File descriptors 1 and 2 themselves are turned to the log, so that output of C++ code, of child
processes and of handlers made long ago goes there too. Keep a duplicate (`own_stdout`) to talk
to the person meanwhile.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO


@contextmanager
def own_stdout() -> Iterator[TextIO]:
    """Standard output on a separate descriptor, where it has one."""
    if sys.stdout is None:
        with nowhere() as stream:
            yield stream
        return
    try:
        number = sys.stdout.fileno()
    except (OSError, AttributeError):  # of a notebook perhaps
        yield sys.stdout
        return
    sys.stdout.flush()
    encoding = sys.stdout.encoding
    with os.fdopen(os.dup(number), "w", 1, encoding, errors="replace") as stream:
        yield stream


@contextmanager
def capture(log: Path) -> Iterator[None]:
    """Append everything printed to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    _flush()
    _open_closed()
    saved = [(number, os.dup(number)) for number in (1, 2)]
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        for number, _ in saved:
            os.dup2(handle, number)
        yield
    finally:
        _flush()
        for number, copy in saved:
            os.dup2(copy, number)
            os.close(copy)
        os.close(handle)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()


def nowhere() -> TextIO:
    """What stands in for an output that the shell closed (`>&-`)."""
    return Path(os.devnull).open("w", encoding="utf-8")


def _open_closed() -> None:
    """Open descriptors 0 to 2 that the shell closed, or the next file opened has their number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
