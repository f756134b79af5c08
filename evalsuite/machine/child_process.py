"""Processes that start with their imports done and do not outlive who asked for them.

>>> context = start_context(["torch"])
>>> process = start(context, work, connection)
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from evalsuite import plugins
from evalsuite.errors import KilledError


def start_context(preload: Sequence[str]) -> Any:
    """How processes are begun: forked from one that has imported `preload`, where that works.

    That one is shared by all contexts of this process; the first to start it decides what it
    imports.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


def start(context: Any, target: Callable[..., None], *arguments: Any) -> Any:
    """A new process of a context that calls `target(*arguments)`, with the same plugins.

    Raises:
        KilledError: the process it would be forked from was killed.
    """
    process = context.Process(target=_begin, args=(plugins.Carried(), target, *arguments))
    try:
        process.start()
    except (EOFError, ConnectionError) as error:
        raise KilledError("a process that starts others") from error
    return process


def _begin(carried: plugins.Carried, target: Callable[..., None], *arguments: Any) -> None:
    target(*arguments)


def leave_with(connection: Any) -> None:
    """In a child: leave at once when the other end of a connection closes, or its process ends.

    Nothing else may be received over the connection.
    """

    def wait() -> None:
        with suppress(EOFError, OSError):
            connection.recv()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
