"""Memory of training XLM-R's shapes, by part, and the speed of a step, for each method.

python benchmarks/training_memory.py base|large|small|xl [--rows 8] [--length 32] [--steps 3]
    [--setups NAME ...] [--work DIR]

Random weights, embedded XNLI pairs, each setup in a new process. Held: the base's word
embeddings and its other weights, as they are held; what is trained, with its gradient and Adam's
two moments (16 bytes per parameter in fp32). The peak is that of the process, minus its
memory before the model was opened; activations and work space are what it has beyond the parts.
It has the pages of the mapped weight files too, which the system can take back; `needed` are the
private pages of the process and the mapped weights it goes on using. `estimated` is what
`lingopress plan` says of it (`transfer.memory`), and `off` how far that is from `needed`. Accuracy
means nothing here.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import xlmr_shapes
from process_memory import Watch, mapped

if TYPE_CHECKING:
    from transfer.models.checkpoints import Embeddings, Precision

# Method, precision of the base's linear layers, embeddings.
SETUPS: dict[str, tuple[str, Precision, Embeddings]] = {
    "full fp32": ("full", "fp32", "fp32"),
    "full fp32, checkpointing": ("full", "fp32", "fp32"),
    "lora fp32": ("lora", "fp32", "fp32"),
    "lora fp32, checkpointing": ("lora", "fp32", "fp32"),
    "lora bf16": ("lora", "bf16", "fp32"),
    "lora int8": ("lora", "int8", "int8"),
    "lora nf4, embeddings fp32": ("lora", "nf4", "fp32"),
    "lora nf4, embeddings bf16": ("lora", "nf4", "bf16"),
    "lora nf4, embeddings int8": ("lora", "nf4", "int8"),
    "lora nf4, embeddings int4": ("lora", "nf4", "int4"),
}
_A_PARAMETER = 16  # bytes: weight, gradient and two moments, fp32


def main() -> None:
    """Print one line per setup."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("size", choices=sorted(xlmr_shapes.SHAPES))
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--length", type=int, default=32, help="tokens a row, at most")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--setups", nargs="+", default=list(SETUPS), choices=SETUPS)
    parser.add_argument("--compute", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--one", choices=SETUPS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(asked)))
        return
    work = asked.work or Path(tempfile.mkdtemp())
    if not (work / asked.size / "tokenizer.json").is_file():
        make = [sys.executable, xlmr_shapes.__file__, "--make", asked.size, work / asked.size]
        subprocess.run(make, check=True)
    print(
        f"{asked.size}, {asked.steps} steps of {asked.rows} rows\n"
        "| setup | embeddings MB | other weights MB | trained, MB with Adam "
        "| the rest at the peak, MB | peak MB | tokens/s | needed MB | estimated MB | off |\n"
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |"
    )
    for name in asked.setups:
        child = [sys.executable, __file__, asked.size, "--one", name, "--work", work]
        child += ["--rows", asked.rows, "--length", asked.length, "--steps", asked.steps]
        child += ["--compute", asked.compute]
        done = subprocess.run(list(map(str, child)), capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"| {name} | {done.stderr.strip().splitlines()[-1]} |", flush=True)
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        off = f"{100 * (found[-1] / found[-2] - 1):+.0f}%"
        row = [name, *(f"{value:,.0f}" for value in found), off]
        print(f"| {' | '.join(row)} |", flush=True)


def measure(asked: argparse.Namespace) -> list[float]:
    """Megabytes by part, and tokens per second of the median step."""
    from transformers import PreTrainedModel

    from evalsuite.registry import TASKS
    from evalsuite.task import DataSource
    from transfer.encoded_rows.load_rows import load_rows
    from transfer.loop.batch_plan import plan
    from transfer.loop.fit import Settings
    from transfer.supervised.options import Options
    from transfer.supervised.train_tasks import train_tasks

    method, precision, embeddings = SETUPS[asked.one]
    model, source, task = asked.work / asked.size, DataSource("embedded"), TASKS.get("xnli")
    count = asked.rows * asked.steps
    options = Options(
        method=method,
        precision=precision,
        embeddings=embeddings,
        batch_size=asked.rows,
        max_steps=asked.steps,
        max_length=asked.length,
        max_examples=count,
        settings=Settings(
            1e-4,
            seed=1,
            compute=asked.compute,
            save_every=1e9,
            gradient_checkpointing="checkpointing" in asked.one,
        ),
    )
    rows = load_rows(task, source, model, asked.length, max_examples=count)
    lengths = rows.lengths()
    batches = plan(lengths, asked.rows, asked.steps, seed=1)
    tokens = sum(lengths[i] for batch in batches for i in batch.indices) / len(batches)
    before, seen = peak(), [0.0]

    def look(fraction: float, text: str) -> None:
        models = [m for m in gc.get_objects() if isinstance(m, PreTrainedModel)]
        seen[0] = max([seen[0], *map(mapped, models)])

    with tempfile.TemporaryDirectory() as place, Watch() as watch:
        here = Path(place)
        began = time.monotonic()
        folders = {"work": here / "w", "out": here / "o"}
        done = train_tasks(model, [task], source, options, **folders, progress=look)
        print(f"{asked.one}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    facts = done.summary
    held, other = float(facts["base embeddings MB"]), float(facts["base other weights MB"])
    trained = int(facts["trained parameters"]) * _A_PARAMETER / 1e6
    if method == "full":  # what is trained is what is held
        held, other = 0.0, held + other - int(facts["trained parameters"]) * 4 / 1e6
    whole = peak() - before
    rate = 1000 * tokens / float(facts["ms per step"])
    rest = whole - held - other - trained
    needs = watch.private + seen[0]
    return [held, other, trained, rest, whole, rate, needs, estimated(asked, max(lengths))]


def estimated(asked: argparse.Namespace, length: int) -> float:
    """What is said ahead of the whole process, MB.

    Args:
        length: of the longest row.
    """
    from evalsuite.machine.model_shape import ModelShape
    from transfer.memory.training import Training, needed

    method, precision, embeddings = SETUPS[asked.one]
    training = Training(
        method=method,
        precision=precision,
        embeddings=embeddings,
        batch=asked.rows,
        length=length,
        bf16=asked.compute == "bf16",
        checkpointing="checkpointing" in asked.one,
    )
    return needed(ModelShape.of(xlmr_shapes.config(asked.size), "pair", 3), training).total / 1e6


def peak() -> float:
    """Most resident memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
