"""The measuring process: `python -m evalsuite.bench.worker SPECS`."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from evalsuite.runtimes import open_model, preload

LOADS = 3
WARMUP = 8


def main(path: str) -> None:
    """Measure every spec of the file, each in a fork of this process."""
    specs: list[dict[str, Any]] = json.loads(Path(path).read_text(encoding="utf-8"))
    os.environ["OMP_NUM_THREADS"] = str(specs[0]["threads"])
    for spec in specs:
        preload(Path(spec["directory"]))
    for spec in specs:
        # No runtime has started a thread yet, so forking is safe; the child inherits imports.
        child = os.fork() if hasattr(os, "fork") else None
        if child is None:
            one(spec)
        elif child:
            os.waitpid(child, 0)
        else:
            try:
                one(spec)
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)
            os._exit(0)


def one(spec: dict[str, Any]) -> None:
    """Measure one model as the spec says and write its `SpeedResult`."""
    threads = int(spec["threads"])

    from evalsuite import environment, tokenization
    from evalsuite.batching import by_tokens
    from evalsuite.results import SpeedResult, Throughput
    from evalsuite.run import MAX_TOKENS, pad

    directory = Path(spec["directory"])
    baseline = _memory_now()
    loads = []
    for _ in range(LOADS):
        predictor = None  # free the last one first: peak memory is that of one model
        started = time.perf_counter()
        predictor = open_model(directory, threads)
        loads.append(time.perf_counter() - started)
    assert predictor is not None
    sequences: list[list[int]] = spec["sequences"]
    pad_id = tokenization.pad_id(directory)
    wanted = ("logits",) if predictor.labels else (f"hidden_states.{predictor.layers}",)

    def run(batch: list[list[int]]) -> float:
        ids, mask = pad(batch, pad_id)
        started = time.perf_counter()
        predictor(ids, mask, wanted)
        return time.perf_counter() - started

    samples = _spread(len(sequences), int(spec["latency_samples"]))
    warmup = [run([sequences[index]]) for index in samples[:WARMUP]]
    latency = [run([sequences[index]]) for index in samples]
    batches = by_tokens([len(ids) for ids in sequences], MAX_TOKENS)
    warmup += [run([sequences[index] for index in batches[0]])]
    throughput = []
    for _ in range(int(spec["passes"])):
        seconds = sum(run([sequences[index] for index in batch]) for batch in batches)
        throughput.append(
            Throughput(sentences=len(sequences), tokens=sum(map(len, sequences)), seconds=seconds)
        )
    result = SpeedResult(
        model=predictor.describe(spec["label"]),
        text=spec["text"],
        source=spec["source"],
        data_digest=spec["data_digest"],
        token_lengths=tuple(len(ids) for ids in sequences),
        load_seconds=tuple(loads),
        warmup_seconds=tuple(warmup),
        latency_seconds=tuple(latency),
        throughput=tuple(throughput),
        peak_memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        baseline_memory=baseline,
        environment=environment.capture(predictor.threads, predictor.device),
    )
    Path(spec["result"]).write_text(result.model_dump_json(), encoding="utf-8")


def _memory_now() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


def _spread(count: int, wanted: int) -> list[int]:
    """Indices spread evenly over the text, so that every language and length is met."""
    if count <= wanted:
        return list(range(count))
    return [index * count // wanted for index in range(wanted)]


if __name__ == "__main__":
    main(sys.argv[1])
