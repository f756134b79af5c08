"""What child processes of tests do; they import it by name."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from evalsuite.machine.child_process import leave_with


def end_by_signal(connection: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave_with_and_wait(connection: Any) -> None:
    leave_with(connection)
    time.sleep(60)
