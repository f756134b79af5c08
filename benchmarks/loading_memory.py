"""Memory of opening a checkpoint, against the bytes of its weights: is a second copy ever held?

python benchmarks/loading_memory.py base|large|small|xl [--cases NAME ...] [--work DIR]

Random weights, stored in fp32, fp16, bf16 and in shards, and opened as stages open them: by
`load_checkpoint`, and for training with quantized linear layers and embeddings. Each in a new
process. `private` is memory of the process alone; `resident` has the pages of the mapped weight
files too, which the system takes back when it needs them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import xlmr_shapes
from process_memory import Watch, resident

# Stored dtype, shards, precision of linear layers and of embeddings (None: `load_checkpoint`).
CASES: dict[str, tuple[str, bool, tuple[Any, Any] | None]] = {
    "fp32": ("float32", False, None),
    "fp32 in shards": ("float32", True, None),
    "fp16": ("float16", False, None),
    "bf16": ("bfloat16", False, None),
    "fp32 to train": ("float32", False, ("fp32", "fp32")),
    "fp16 to train": ("float16", False, ("fp32", "fp32")),
    "bf16 to train in bf16": ("bfloat16", False, ("bf16", "bf16")),
    "fp32 as nf4": ("float32", False, ("nf4", "fp32")),
    "fp32 as nf4, embeddings int8": ("float32", False, ("nf4", "int8")),
    "fp32 as nf4, embeddings bf16": ("float32", False, ("nf4", "bf16")),
    "fp16 as nf4, embeddings int8": ("float16", True, ("nf4", "int8")),
    "fp32 as int8, embeddings int8": ("float32", False, ("int8", "int8")),
}
_SHARD = "200MB"


def main() -> None:
    """Print one line per case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("size", choices=sorted(xlmr_shapes.SHAPES))
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--one", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--store", choices=CASES, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    work = asked.work or Path(tempfile.mkdtemp())
    if asked.store:
        store(asked.size, work, *CASES[asked.store][:2])
        return
    if asked.one:
        print(json.dumps(measure(work / "stored", CASES[asked.one][2])))
        return
    print(
        "| case | weights MB | private at the peak | resident at the peak | private / weights |\n"
        "| --- | --: | --: | --: | --: |"
    )
    same = [sys.executable, __file__, asked.size, "--work", str(work)]
    stored: tuple[str, bool] | None = None
    for name in asked.cases:
        if CASES[name][:2] != stored:
            subprocess.run([*same, "--store", name], check=True)
            stored = CASES[name][:2]
        done = subprocess.run([*same, "--one", name], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"| {name} | {done.stderr.strip().splitlines()[-1]} |", flush=True)
            continue
        weights, private, resident = json.loads(done.stdout.splitlines()[-1])
        print(
            f"| {name} | {weights:,.0f} | {private:,.0f} | {resident:,.0f} "
            f"| {private / weights:.2f} |",
            flush=True,
        )


def store(size: str, work: Path, dtype: str, shards: bool) -> None:
    """Save a random checkpoint with a pair's head in `work/stored`."""
    import torch

    from evalsuite.opening.pretrained import from_config
    from evalsuite.runtimes.torch import auto_class

    shutil.rmtree(work / "stored", ignore_errors=True)
    torch.manual_seed(0)
    model = from_config(auto_class("pair"), xlmr_shapes.config(size), dtype=getattr(torch, dtype))
    model.save_pretrained(work / "stored", max_shard_size=_SHARD if shards else "100GB")


def measure(directory: Path, precisions: tuple[Any, Any] | None) -> list[float]:
    """Megabytes: weights as they are held, private and resident memory at the peak beyond what the
    process had."""
    import bitsandbytes  # noqa: F401
    import transformers  # noqa: F401

    from evalsuite.runtimes.torch import load_checkpoint
    from transfer.find_task import find_task
    from transfer.models import checkpoints

    before = resident()
    with Watch() as watch:
        if precisions is None:
            model = load_checkpoint(directory)
        else:
            model, _ = checkpoints.load(directory, find_task("xnli"), precisions[0])
            checkpoints.hold_embeddings(model, precisions[1])
    weights = sum(checkpoints.memory(model).values())
    return [weights, watch.private - before[0], watch.resident - before[1]]


if __name__ == "__main__":
    main()
