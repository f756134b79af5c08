"""The C++ program of docs/native, which reads one JSON value per line."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from typing import Any

TITLE = "C++, ONNX Runtime"
HEADS = ("pair", "tagging", None)
FORM = "onnxruntime"
KEYS = {"pair": "label", "tagging": "tags"}
PROGRAM = "BUNDLE_PROGRAM"  # variable with the program
SCRIPT = (
    "from benchmarks.deploy_targets import child, native; "
    "child.serve(native.load, lambda: native.STARTED[0].pid)"
)
STARTED: list[subprocess.Popen[str]] = []


def command(settings: Any) -> list[str] | None:
    """This interpreter, which starts the program of --native."""
    if settings.native is None:
        return None
    return ["env", f"{PROGRAM}={settings.native.resolve()}", sys.executable, "-c", SCRIPT]


def load(task: dict[str, Any]) -> Any:
    """Start the program; returns a function that answers one row."""
    pipe = subprocess.PIPE
    command = [os.environ[PROGRAM], task["directory"]]
    program = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, encoding="utf-8")
    atexit.register(program.kill)
    STARTED.append(program)
    key = KEYS.get(task["head"])

    def answer(row: Any) -> Any:
        assert program.stdin is not None and program.stdout is not None
        program.stdin.write(json.dumps(row) + "\n")
        program.stdin.flush()
        found = json.loads(program.stdout.readline())
        return found if key is None else found[key]

    return answer
