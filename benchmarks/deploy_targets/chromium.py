"""transformers.js on WebAssembly in a headless Chromium, in the page of `lingopress demo`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

from compress.export.demo.build import build
from tests.support.headless import Browser, chromium, served

TITLE = "transformers.js, Chromium"
HEADS = ("pair", "tagging", None)
FORM = "transformers.js"
CALLS = {"pair": "(await b.label(row)).label", "tagging": "await b.tags(row)"}
_PART = 50  # rows per message


def command(settings: Any) -> list[str] | None:
    """This interpreter, where there are Chromium and the packages of --library."""
    if chromium() is None or settings.library is None:
        return None
    return [sys.executable, "-m", "benchmarks.deploy_targets.chromium", str(settings.library)]


def main() -> None:
    """Build the page, open it, ask it."""
    task = json.load(sys.stdin)
    call = CALLS.get(task["head"], "[...await b.embed(row)]")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page"
        build(Path(task["directory"]), page, library=Path(sys.argv[1]))
        with served(page) as address, Browser() as browser:
            browser.open(address)
            browser.wait("document.querySelector('#time')?.textContent", 600)
            load = float(browser.run("document.querySelector('#about').dataset.loaded"))
            answers, taken = [], 0.0
            for start in range(0, len(task["rows"]), _PART):
                rows = json.dumps(task["rows"][start : start + _PART])
                found = browser.run(
                    f"""(async () => {{
                      const b = lingopress.bundle, answers = [], start = performance.now();
                      for (const row of {rows}) answers.push({call});
                      return {{ answers, taken: performance.now() - start }};
                    }})()"""
                )
                answers += found["answers"]
                taken += found["taken"]
            processes = [psutil.Process(browser.process.pid)]
            processes += processes[0].children(recursive=True)
            memory = sum(process.memory_info().rss for process in processes)
    result = {"load_s": load / 1000, "seconds": taken / 1000, "memory_mb": memory / 2**20}
    print(json.dumps(result | {"answers": answers}))


if __name__ == "__main__":
    main()
