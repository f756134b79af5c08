"""A teacher's logits computed once per row or with every batch: how long does each take?

python benchmarks/cached_teachers.py --data-dir DATA_DIR [--teacher CHECKPOINT] [--steps N] ...

The same student of a UD-POS tagger (every second layer of it) is trained on the same batches of
English rows, once with `cache: always` and once with `cache: never`, in alternating order over
several rounds. There are as many rows as the epochs need. Prints seconds of each, the teacher's
part of them, the ratio, and the bytes of the cache on disk. The default teacher has a new head, as
time does not depend on its weights. As in `distill`, a teacher run with every batch is under
the student's autocast, and one run once per row is not; `--compute fp32` makes them equal.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from compress.distill.losses import matched_loss
from compress.distill.options import Options
from compress.distill.rules import choose_layers
from compress.distill.student import cut
from compress.distill.student_batch import Match, StudentBatch
from compress.distill.targets import Targets
from compress.distill.teachers import logits_function
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import TorchPredictor
from evalsuite.task import DataSource
from transfer.encoded_rows.encoded import Rows
from transfer.encoded_rows.load_rows import load_rows
from transfer.loop.batch_plan import Batch, plan
from transfer.loop.fit import Settings, fit
from transfer.loop.types import Tensors, TrainingData
from transfer.models import checkpoints

MINI = Path(__file__).resolve().parents[1] / "recipes" / "models" / "e5-mini"


@dataclass
class Timed:
    """A model that adds up the seconds it runs for."""

    model: Any
    seconds: float = 0.0

    def __call__(self, **inputs: Any) -> Any:
        started = time.perf_counter()
        found = self.model(**inputs)
        self.seconds += time.perf_counter() - started
        return found


@dataclass
class Setting:
    """What every training of one run shares."""

    directory: Path
    teacher: Any
    student: Any
    rows: Rows
    batches: list[Batch]
    options: Options


def train(shared: Setting, cache: bool, work: Path) -> tuple[float, float, int]:
    """Seconds in all, of these the teacher's, and bytes of its cache."""
    student = copy.deepcopy(shared.student).train()
    teacher = Timed(shared.teacher)
    match = Match.of(shared.teacher, student, (), shared.options)
    started = time.perf_counter()
    targets, computing = None, 0.0
    if cache:
        run = logits_function(TorchPredictor(shared.directory, shared.teacher, "fp32"))
        targets = Targets.compute([run], [shared.rows], work / "targets")
        computing = time.perf_counter() - started

    def collate(batch: Batch) -> Tensors:
        tensors = shared.rows.collate(batch)
        return tensors if targets is None else {**tensors, "targets": targets.batch(batch)}

    def loss(model: Any, batch: Tensors) -> torch.Tensor:
        return matched_loss(model, teacher, StudentBatch.of(batch), match)

    fit(
        student,
        TrainingData(shared.batches, collate),
        loss,
        shared.options.settings,
        work / "training",
    )
    seconds = time.perf_counter() - started
    kept = sum(path.stat().st_size for path in work.glob("targets/*"))
    return seconds, computing + teacher.seconds, kept


def prepare(asked: argparse.Namespace) -> Setting:
    """Teacher, student, rows and batches."""
    count = -(-asked.steps * asked.batch_size // asked.epochs)
    task = TASKS.get("udpos")
    source = DataSource("xtreme", asked.data_dir)
    rows = load_rows(task, source, asked.teacher, asked.max_length, max_examples=count)
    teacher, _ = checkpoints.load(asked.teacher, task)
    teacher.requires_grad_(False).eval()
    layers = choose_layers(asked.layers, teacher.config.num_hidden_layers)
    settings = Settings(5e-4, seed=1, compute=asked.compute, save_every=float("inf"))
    options = Options(
        layers=tuple(layers), logits=1.0, hidden=0.0, labels=0.0, temperature=2.0, multilingual=0.0,
        batch_size=asked.batch_size, epochs=asked.epochs, max_steps=asked.steps,
        max_length=asked.max_length, max_examples=count, max_pairs=None, settings=settings,
    )  # fmt: skip
    batches = plan(rows.lengths(), asked.batch_size, asked.steps, seed=1)
    print(
        f"{asked.steps} steps of {asked.batch_size} over {len(rows):,} rows, "
        f"{asked.steps * asked.batch_size / len(rows):.1f} epochs; student: layers {layers} of "
        f"{teacher.config.num_hidden_layers}; {torch.get_num_threads()} threads"
    )
    return Setting(asked.teacher, teacher, cut(teacher, layers), rows, batches, options)


def main() -> None:
    """Time both ways, in turn first and second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True, help="XTREME directory")
    parser.add_argument("--teacher", type=Path, default=MINI, help="a checkpoint")
    parser.add_argument("--layers", type=int, default=3, help="of the student")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=3, help="over the rows: 2 or more")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--compute", choices=("auto", "fp32", "bf16"), default="auto")
    asked = parser.parse_args()
    if asked.epochs < 2:
        parser.error("--epochs: with one epoch no row is met twice")
    shared = prepare(asked)
    found: dict[bool, list[tuple[float, float, int]]] = {True: [], False: []}
    for number in range(asked.rounds):
        for cache in (True, False) if number % 2 == 0 else (False, True):
            with tempfile.TemporaryDirectory() as work:
                found[cache].append(train(shared, cache, Path(work)))
            seconds, teacher, _ = found[cache][-1]
            name = "always" if cache else "never"
            print(f"round {number + 1}, {name}: {seconds:.2f} s, the teacher {teacher:.2f} s")
    ratios = [never[0] / always[0] for always, never in zip(found[True], found[False], strict=True)]
    parts = {
        cache: statistics.median(teacher / seconds for seconds, teacher, _ in found[cache])
        for cache in found
    }
    print(
        f"never / always: {statistics.median(ratios):.2f} (median of {asked.rounds}; "
        f"{min(ratios):.2f} to {max(ratios):.2f})\n"
        f"the teacher's part: {parts[False]:.0%} with every batch, {parts[True]:.0%} once a row\n"
        f"cache: {found[True][0][2]:,} bytes, {found[True][0][2] / len(shared.rows):,.0f} a row"
    )


if __name__ == "__main__":
    main()
