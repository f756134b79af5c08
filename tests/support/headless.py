"""A headless Chromium, driven through its debugging pipe: no package, no port.

>>> with Browser() as browser:
...     browser.open("http://127.0.0.1:8000/")
...     browser.run("document.title")
'topics'
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    """The path of a Chromium, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class _Quiet(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the files of a folder on the loopback; the address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()


class Browser:
    """One page of a Chromium of its own; all requests but those to the loopback fail."""

    def __init__(self, *flags: str) -> None:
        path = chromium()
        assert path is not None
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        command = [
            *("bash", "-c", 'exec "$0" "$@" 3<&"$PIPE_IN" 4>&"$PIPE_OUT"', path),
            *("--headless=new", "--no-sandbox", "--disable-gpu-sandbox", "--disable-dev-shm-usage"),
            *("--remote-debugging-pipe", f"--user-data-dir={self._folder.name}"),
            *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
            *("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", *flags, "about:blank"),
        ]
        self.process = subprocess.Popen(
            command,
            pass_fds=(to_read, to_write),
            env=os.environ | {"PIPE_IN": str(to_read), "PIPE_OUT": str(to_write)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._buffer = b""
        self._number = 0
        self.said: list[str] = []  # by the page's console, and its errors
        self.asked: list[str] = []  # addresses
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self.send("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Runtime", "Page", "Network"):
            self.send(f"{domain}.enable")

    _session: str | None = None

    def send(self, method: str, **params: Any) -> Any:
        """One command; its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            part = os.read(self._from, 1 << 20)
            if not part:
                raise RuntimeError("Chromium ended")
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        method, params = message.get("method", ""), message.get("params", {})
        if method == "Runtime.consoleAPICalled":
            self.said.append(" ".join(str(arg.get("value")) for arg in params["args"]))
        elif method == "Runtime.exceptionThrown":
            self.said.append(json.dumps(params["exceptionDetails"]))
        elif method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])
        return message

    def open(self, address: str) -> None:
        """Go to a page."""
        self.send("Page.navigate", url=address)

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript, which may be a promise."""
        done = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in done:
            raise RuntimeError(json.dumps(done["exceptionDetails"])[:2000])
        return done["result"].get("value")

    def wait(self, condition: str, seconds: float = 120) -> None:
        """Until an expression is true.

        Raises:
            RuntimeError: it never is.
        """
        self.run(
            f"""new Promise((done, fail) => {{
              const end = Date.now() + {1000 * seconds};
              const look = () => ({condition}) ? done() : Date.now() > end
                ? fail(Error("never")) : setTimeout(look, 50);
              look();
            }})"""
        )

    def picture(self, width: int, height: int, dark: bool = False, kind: str = "png") -> bytes:
        """A screenshot."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", features=features)
        return base64.b64decode(self.send("Page.captureScreenshot", format=kind)["data"])

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        self.process.wait(20)
        os.close(self._to)
        os.close(self._from)
        self._folder.cleanup()
