"""Processes that start with their imports done and do not outlive who asked for them.

>>> context = start_context(["torch"])
>>> context.Process(target=work, args=(connection,)).start()
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any


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


def leave_with(connection: Any) -> None:
    """In a child: leave at once when the other end of a connection closes, or its process ends.

    Nothing else may be received over the connection.
    """

    def wait() -> None:
        with suppress(EOFError, OSError):
            connection.recv()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
