"""The one training loop: transformers.Trainer over a fixed plan of batches.

Everything that trains here (pretraining, tasks, distillation) calls `fit` with an objective, a
function of (model, batch) that gives the loss. A killed training resumes from the last complete
checkpoint of its work directory and ends with the same weights as an undisturbed one (same
machine, CPU): the plan fixes batches and their seeds, the checkpoint restores optimizer,
schedule and random state.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import TrainerCallback, TrainingArguments
from transformers.trainer_utils import set_seed

from evalsuite.machine import environment
from transfer.errors import DivergedError, MethodError
from transfer.loop import processes
from transfer.loop.batch_plan import Batch
from transfer.loop.optimizer_steps import Steps, StepTrainer

Tensors = dict[str, Any]
Objective = Callable[[Any, Tensors], torch.Tensor]
Collate = Callable[[Batch], Tensors]
Progress = Callable[[float, str], None]
After = Callable[[int], bool | None]  # True: stop here
Cut = Callable[[Batch], list[Batch]]

_COMPLETE = "complete"  # written into a checkpoint once all of it is on disk


@dataclass(frozen=True, slots=True)
class Settings:
    """How to optimize. AdamW, linear warm-up then linear decay."""

    learning_rate: float
    seed: int
    warmup: float = 0.1  # share of the steps
    weight_decay: float = 0.01
    compute: Literal["auto", "fp32", "bf16"] = "auto"  # bf16: autocast
    max_grad_norm: float = 1.0
    accumulate: int = 1
    gradient_checkpointing: bool = False
    save_every: float = 30.0  # seconds between checkpoints in the work directory


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a training did."""

    steps: int
    examples: int
    first_loss: float  # mean over the first tenth of the steps
    final_loss: float  # mean over the last tenth
    seconds_a_step: float  # of this process's share, median
    compute: str  # fp32 or bf16, as it was resolved


def resolve_compute(compute: str) -> Literal["fp32", "bf16"]:
    """`auto` is bf16 autocast where the processor has bf16 matrix products, else fp32."""
    if compute != "auto":
        return "bf16" if compute == "bf16" else "fp32"
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    flags = environment.capture(1).instruction_set
    return "bf16" if {"avx512_bf16", "amx_bf16"} & set(flags) else "fp32"


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Progress, checkpoints by the clock, completion marks, and a stop where the loss breaks."""

    def __init__(self, settings: Settings, progress: Progress, what: str, after: After) -> None:
        self.settings, self.progress, self.what, self.after = settings, progress, what, after
        self.saved = self.ticked = time.monotonic()
        self.step_seconds: list[float] = []

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.ticked = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        now = time.monotonic()
        self.step_seconds.append(now - self.ticked)
        self.progress(state.global_step / state.max_steps, f"{self.what} {state.global_step}")
        if self.after(state.global_step):
            control.should_training_stop = True
        elif state.global_step < state.max_steps:  # all processes take part in a save
            control.should_save = processes.agreed(now - self.saved > self.settings.save_every)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        loss = (logs or {}).get("loss")
        if loss is None:
            return
        if not math.isfinite(float(loss)):
            raise DivergedError(
                f"the loss became {loss} at step {state.global_step}; "
                f"lower learning_rate (now {self.settings.learning_rate:g})"
            )

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.saved = time.monotonic()
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if processes.first():
            (folder / _COMPLETE).touch()


def last_checkpoint(work: Path) -> Path | None:
    """The newest complete checkpoint; half-written ones are removed."""
    for folder in work.glob("checkpoint-*"):
        if _step(folder) is None:
            shutil.rmtree(folder, ignore_errors=True)
    return newest_complete(work)


def newest_complete(work: Path) -> Path | None:
    """The newest complete checkpoint."""
    found = [(step, folder) for folder in work.glob("checkpoint-*") if (step := _step(folder))]
    return max(found)[1] if found else None


def _step(folder: Path) -> int | None:
    """The step of a complete checkpoint."""
    match = re.fullmatch(r"checkpoint-(\d+)", folder.name)
    return int(match[1]) if match and (folder / _COMPLETE).is_file() else None


def fit(
    model: Any,
    batches: Sequence[Batch],
    collate: Collate,
    objective: Objective,
    settings: Settings,
    work: Path,
    progress: Progress = lambda fraction, text: None,
    what: str = "step",
    after: After = lambda step: None,
    cut: Cut | None = None,
) -> Fitted:
    """Train `model` in place over `batches`.

    Args:
        batches: `accumulate` of them an optimizer step; one where there is a `cut`.
        collate: builds the tensors of a batch, everything random in it from `batch.seed`.
        work: where checkpoints go; found again after a kill.
        after: called after each optimizer step, with how many there were; True ends the training.
        cut: makes a batch micro-batches, in memory one after the other and shared by processes
            where there are several; see `transfer.loop.optimizer_steps.Steps`.

    Raises:
        DivergedError: the loss is not a number any more.
        MethodError: several processes, and steps that are not cut.
    """
    work.mkdir(parents=True, exist_ok=True)
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1 and cut is None:
        raise MethodError(f"{world} processes need effective_batch, the rows of a step they share")
    set_seed(settings.seed)
    if settings.gradient_checkpointing:
        model.activation_checkpointing_enable()
    compute = resolve_compute(settings.compute)
    rank = int(os.environ.get("RANK", "0"))
    accumulate = 1 if cut else settings.accumulate
    plan = Steps(batches, collate, accumulate, cut, rank, world)
    on_cpu = not torch.cuda.is_available()
    arguments = TrainingArguments(
        output_dir=str(work),
        max_steps=len(plan),
        per_device_train_batch_size=1,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=round(settings.warmup * len(plan)),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        bf16=compute == "bf16",
        use_cpu=on_cpu,
        ddp_backend="gloo" if world > 1 and on_cpu else None,
        seed=settings.seed,
        logging_steps=1 if len(plan) < 200 else 10,
        logging_nan_inf_filter=False,
        save_strategy="no",
        save_total_limit=2,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
    )
    watch = _Watch(settings, progress, what, after)
    trainer = StepTrainer(
        objective, model=model, args=arguments, train_dataset=plan, callbacks=[watch]
    )
    for callback in list(trainer.callback_handler.callbacks):
        if type(callback).__name__ in ("PrinterCallback", "ProgressCallback"):
            trainer.remove_callback(callback)
    checkpoint = last_checkpoint(work)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    steps = trainer.state.global_step
    losses = [
        (entry["step"], entry["loss"]) for entry in trainer.state.log_history if "loss" in entry
    ]
    seconds = sorted(watch.step_seconds) or [math.nan]
    return Fitted(
        steps=steps,
        examples=plan.examples(steps),
        first_loss=_mean([loss for step, loss in losses if step <= max(steps * 0.1, losses[0][0])]),
        final_loss=_mean([loss for step, loss in losses if step > steps * 0.9]),
        seconds_a_step=seconds[len(seconds) // 2],
        compute=compute,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
