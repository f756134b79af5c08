"""What `train` costs over a plain script: the same batches, model and optimizer in both.

python -m benchmarks.training_overhead CHECKPOINT DATA_DIR [--task udpos] [--steps 30] [--rounds 5]

The plain script is transformers.Trainer on batches that are padded before training, with its own
AdamW and linear schedule, without checkpoints or logs. The other is `transfer.loop.fit`, which
every stage that trains calls, with its plan of batches, rows that are padded batch by batch,
progress and snapshots. Both train a new copy of the model, in turns, so that a change of the
machine's speed meets both. Prints processor seconds and wall seconds per step of each round, and
the ratio of the medians.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset
from transformers import Trainer, TrainingArguments
from transformers.trainer_utils import set_seed

from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from transfer.encoded_rows.load_rows import load_rows
from transfer.loop.batch_plan import plan
from transfer.loop.fit import Settings, fit
from transfer.loop.types import Tensors, TrainingData
from transfer.models import checkpoints

RATE, SEED, WARMUP = 5e-5, 1, 0.1


class Batches(Dataset[Tensors]):
    """Batches that are ready, one per item."""

    def __init__(self, batches: list[Tensors]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> Tensors:
        return self.batches[index]


class InOrder(Trainer):  # type: ignore[misc]
    """A Trainer that takes its data in order."""

    def _get_train_sampler(self, *_: Any) -> Any:
        return torch.utils.data.SequentialSampler(self.train_dataset)


def plain(model: Any, batches: list[Tensors], work: Path) -> None:
    """Train with a plain script."""
    set_seed(SEED)
    arguments = TrainingArguments(
        output_dir=str(work),
        per_device_train_batch_size=1,
        max_steps=len(batches),
        learning_rate=RATE,
        weight_decay=0.01,
        warmup_steps=round(WARMUP * len(batches)),
        save_strategy="no",
        report_to=[],
        logging_strategy="no",
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
        remove_unused_columns=False,
    )
    InOrder(
        model=model,
        args=arguments,
        train_dataset=Batches(batches),
        data_collator=lambda one: one[0],
    ).train()


def ours(model: Any, data: TrainingData, work: Path) -> None:
    """Train as the stages do."""
    settings = Settings(RATE, SEED, warmup=WARMUP, compute="fp32")
    fit(model, data, lambda module, batch: module(**batch).loss, settings, work)


def timed(training: Callable[[], None], steps: int) -> tuple[float, float]:
    """Processor seconds and wall seconds per step."""
    wall, processor = time.perf_counter(), time.process_time()
    training()
    return (time.process_time() - processor) / steps, (time.perf_counter() - wall) / steps


def main() -> None:
    """Train in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--task", default="udpos")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    task = TASKS.get(asked.task)
    rows = load_rows(task, DataSource("xtreme", asked.data_dir), asked.checkpoint, 128)
    batches = plan(rows.lengths(), 32, asked.steps, SEED)
    data = TrainingData(batches, rows.collate)
    ready = [rows.collate(batch) for batch in batches]
    figures: dict[str, list[tuple[float, float]]] = {"plain": [], "ours": []}
    for number in range(asked.rounds):
        for name in ("plain", "ours") if number % 2 else ("ours", "plain"):
            model, _ = checkpoints.load(asked.checkpoint, task)
            with tempfile.TemporaryDirectory() as folder:
                work = Path(folder)
                way = (
                    (lambda m=model, w=work: plain(m, ready, w))
                    if name == "plain"
                    else (lambda m=model, w=work: ours(m, data, w))
                )
                figures[name].append(timed(way, asked.steps))
            processor, wall = figures[name][-1]
            print(f"round {number + 1} {name:5}  {processor:.3f} s processor  {wall:.3f} s wall")
    for place, unit in enumerate(("processor", "wall")):
        medians = {
            name: statistics.median(one[place] for one in rounds)
            for name, rounds in figures.items()
        }
        print(f"{unit}: ours / plain = {medians['ours'] / medians['plain']:.3f}")


if __name__ == "__main__":
    main()
