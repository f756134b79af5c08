"""What goes wrong in a process of a training; the processes import this file and little else."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import torch  # noqa: F401  # so that the process they are forked from has it

from evalsuite.errors import DataError, PickleRefusedError
from transfer.errors import DivergedError


def breaks(how: str, progress: Any) -> None:
    if how == "killed":
        os._exit(9)
    if how == "signal":  # the other one only says that it lost its peer
        if os.environ["RANK"] == "1":
            os.kill(os.getpid(), signal.SIGKILL)
        raise RuntimeError("Connection closed by peer")
    if how == "pickle":
        raise PickleRefusedError(Path("m"), ["a.bin"])
    raise {"ours": DivergedError, "data": DataError, "bug": KeyError}[how]("what broke")
