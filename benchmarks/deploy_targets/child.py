"""What a program of a target reads and writes.

It reads {"directory", "head", "rows", "settings"} from standard input: rows are texts, of a tagger
lists of words; settings are those of `compress.export.demo.settings`. It writes one line of JSON:
{"load_s", "seconds", "memory_mb", "answers"}: an answer is a label, a list of tags or a vector.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Answer = Callable[[Any], Any]  # a row -> its answer


def serve(
    load: Callable[[dict[str, Any]], Answer], process: Callable[[], int | str] = lambda: "self"
) -> None:
    """Run all rows of the task on standard input, one at a time.

    Args:
        process: gives the id of the process whose memory is measured, after the last row.
    """
    task = json.load(sys.stdin)
    start = time.perf_counter()
    answer = load(task)
    answer(task["rows"][0])
    loaded = time.perf_counter()
    answers = [answer(row) for row in task["rows"]]
    done = time.perf_counter()
    result = {
        "load_s": loaded - start,
        "seconds": done - loaded,
        "memory_mb": peak_mb(process()),
        "answers": answers,
    }
    print(json.dumps(result))


def peak_mb(process: int | str = "self") -> float:
    """Largest memory of a process; getrusage would count the process it was forked from."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    (peak,) = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(peak) / 1024


def toolkit() -> list[str]:
    """This interpreter, with this toolkit's answers."""
    code = "from benchmarks.deploy_targets import child; child.serve(child.own)"
    return [sys.executable, "-c", code]


def own(task: dict[str, Any]) -> Answer:
    """This toolkit's answers."""
    import lingopress

    model = lingopress.open(task["directory"])
    head = task["head"]
    if head is None:
        return lambda row: model.embed([row])[0].tolist()
    if head == "tagging":
        return lambda row: model.predict([" ".join(row)], alone=True)[0]["tags"]
    return lambda row: model.predict([row], alone=True)[0]["label"]


def sentences(backend: str, **kwargs: Any) -> Callable[[dict[str, Any]], Answer]:
    """SentenceTransformer's vectors, in one of its backends."""

    def load(task: dict[str, Any]) -> Answer:
        os.environ["HF_HUB_OFFLINE"] = "1"
        kind = importlib.import_module("sentence_transformers").SentenceTransformer
        model = kind(task["directory"], device="cpu", backend=backend, **kwargs)
        return lambda row: model.encode(row, show_progress_bar=False).tolist()

    return load
