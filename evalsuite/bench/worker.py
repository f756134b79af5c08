"""The measuring process: `python -m evalsuite.bench.worker SPEC RESULT`."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

LOADS = 3
WARMUP = 8


def main(spec_path: str, result_path: str) -> None:
    """Measure as the spec says and write a `SpeedResult`."""
    spec: dict[str, Any] = json.loads(Path(spec_path).read_text(encoding="utf-8"))
    threads = int(spec["threads"])
    os.environ["OMP_NUM_THREADS"] = str(threads)

    from evalsuite import environment, tokenization
    from evalsuite.batching import by_tokens
    from evalsuite.results import SpeedResult, Throughput
    from evalsuite.run import MAX_TOKENS, pad
    from evalsuite.runtimes import open_model

    directory = Path(spec["directory"])
    _import_runtime(directory)
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
            Throughput(
                sentences=len(sequences), tokens=sum(map(len, sequences)), seconds=seconds
            )
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
        environment=environment.capture(threads, _device(predictor)),
    )
    Path(result_path).write_text(result.model_dump_json(), encoding="utf-8")


def _import_runtime(directory: Path) -> None:
    """Import the runtime's library, so that load time is the model's alone."""
    if (directory / "bundle.json").is_file():
        import onnxruntime  # noqa: F401
    else:
        import torch
        import transformers

        assert torch, transformers.AutoModel


def _device(predictor: Any) -> str:
    model = getattr(predictor, "model", None)
    return "cpu" if model is None else str(model.device)


def _memory_now() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


def _spread(count: int, wanted: int) -> list[int]:
    """Indices spread evenly over the text, so that every language and length is met."""
    if count <= wanted:
        return list(range(count))
    return [index * count // wanted for index in range(wanted)]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
