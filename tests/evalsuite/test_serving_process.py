"""`lingopress serve` as a process: what it answers, what it reads, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest

from evalsuite.inference.predict_lines import predict_lines

pytest.importorskip("fastapi")

KEY = {"authorization": "Bearer s3cret"}
ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import json, sys
opened = set()
def hook(event, arguments):
    if event == "open" and not isinstance(arguments[0], int):
        opened.add(str(arguments[0]))
    if event == "socket.connect":
        opened.add(f"a connection to {arguments[1]}")
sys.addaudithook(hook)
from recipes.cli.app import main
try:
    main(sys.argv[1:])
finally:
    heavy = sorted({"torch", "transformers", "peft", "datasets"} & set(sys.modules))
    print(json.dumps({"opened": sorted(opened), "heavy": heavy}))
"""


def test_a_bundle_is_served_until_the_process_is_asked_to_end(tiny_bundle: Path) -> None:
    command = [sys.executable, "-c", CHILD, "serve", f"nli={tiny_bundle}", "--port", "0"]
    pipe = subprocess.PIPE
    env = os.environ | {"LINGOPRESS_API_KEY": "s3cret"}
    child = subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, env=env)
    try:
        assert child.stderr is not None
        said = [child.stderr.readline(), child.stderr.readline()]
        assert said[0].startswith("nli: predict, int8") and "serving at http://127" in said[1], said
        url = said[1].split()[-1]
        lines = ["A man sleeps.\tNobody is awake.", "Ein Mann schläft.\tEr ist wach."]
        (expected, _) = predict_lines(tiny_bundle, lines)
        asked = {"inputs": [lines[0].split("\t")]}
        assert httpx2.post(f"{url}/v1/predict", json=asked).status_code == 401
        answer = httpx2.post(f"{url}/v1/predict", json=asked, headers=KEY)
        assert answer.json()["results"] == [expected]
        _send_headers_slowly(url)

        found: list[Any] = []
        body = {"inputs": [["Das ist ein Satz."] * 2] * 1000}
        asking = threading.Thread(
            target=lambda: found.append(
                httpx2.post(f"{url}/v1/predict", json=body, timeout=60, headers=KEY)
            )
        )
        asking.start()
        while 'waiting_rows{model="nli"} 0.0' in httpx2.get(f"{url}/metrics", headers=KEY).text:
            assert asking.is_alive()
        child.send_signal(signal.SIGTERM)
        asking.join()
        assert found[0].status_code == 200 and len(found[0].json()["results"]) == 1000
        printed, _ = child.communicate(timeout=60)
        assert child.returncode == 0
        seen = json.loads(printed)
    finally:
        child.kill()
        child.wait()
    assert not seen["heavy"]
    packages = (sys.prefix, sys.base_prefix, str(ROOT), "__editable__", "lingopress.egg-info/")
    system = ("/proc/", "/dev/null", "/etc/os-release")  # the last by ONNX Runtime's import
    allowed = (*packages, *system, str(tiny_bundle))
    others = [path for path in seen["opened"] if not path.startswith(allowed)]
    assert any(path.startswith(str(tiny_bundle)) for path in seen["opened"])
    assert not others, f"read besides the bundle and Python's packages: {others}"


def _send_headers_slowly(url: str) -> None:
    """A client that sends too much before its headers are complete is left."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nx: ")
        with pytest.raises(OSError):
            for _ in range(200):
                connection.sendall(b"a" * 1000)
            if not connection.recv(1):
                raise ConnectionResetError
