"""`lingopress serve`, asked for one row per request, each run by itself."""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
from http.client import HTTPConnection
from typing import Any

TITLE = "lingopress serve, ONNX Runtime"
HEADS = ("pair", "tagging", None)
FORM = "onnxruntime"
PATHS = {"pair": ("/v1/predict", "label"), "tagging": ("/v1/tags", "tags")}
SCRIPT = (
    "from benchmarks.deploy_targets import child, serve; "
    "child.serve(serve.load, lambda: serve.STARTED[0].pid)"
)
STARTED: list[subprocess.Popen[str]] = []


def command(settings: Any) -> list[str] | None:
    """This interpreter, which starts the server."""
    return [sys.executable, "-c", SCRIPT]


def load(task: dict[str, Any]) -> Any:
    """Start the server; returns a function that answers one row."""
    options = ["serve", task["directory"], "--port", "0", "--alone", "--max-wait", "0"]
    server = subprocess.Popen(
        [sys.executable, "-m", "recipes.cli", *options], stderr=subprocess.PIPE, text=True
    )
    atexit.register(server.kill)
    STARTED.append(server)
    assert server.stderr is not None
    address = next((line for line in server.stderr if "serving at" in line), None)
    assert address is not None, "the server did not start"
    connection = HTTPConnection(address.split()[-1].removeprefix("http://"))
    path, key = PATHS.get(task["head"]) or ("/v1/embed", None)

    def answer(row: Any) -> Any:
        connection.request("POST", path, json.dumps({"inputs": [row]}))
        found = json.loads(connection.getresponse().read())["results"][0]
        return found if key is None else found[key]

    return answer
