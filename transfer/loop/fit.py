"""The one training loop: transformers.Trainer over a fixed plan of batches.

>>> data = TrainingData(plan(lengths, batch_size=32, steps=400, seed=1), rows.collate)
>>> fitted = fit(model, data, objective, Settings(2e-5, seed=1), work=Path("work"))
>>> fitted.steps, fitted.final_loss
(400, 0.61)

Everything that is trained here (pretraining, tasks, distillation) calls `fit` with an objective, a
function of (model, batch) that gives the loss. A training that was killed resumes from the last
complete checkpoint in its work directory and ends with the same weights as one that was not (same
machine, CPU): the plan fixes the batches and their seeds, the checkpoint restores the optimizer,
the schedule and the random state.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import PrinterCallback, TrainerCallback, TrainingArguments
from transformers.trainer_utils import set_seed

from transfer.errors import DivergedError, MethodError
from transfer.loop import processes
from transfer.loop.compute import resolve_compute
from transfer.loop.optimizer_steps import Steps, StepTrainer
from transfer.loop.tracking import Tracking, tracker
from transfer.loop.training_log import TrainingLog
from transfer.loop.types import AfterStep, Objective, Progress, Scoring, TrainingData

_COMPLETE = "complete"  # a file written into a checkpoint after all others


@dataclass(frozen=True, slots=True)
class Settings:
    """How to optimize: AdamW, with a linear warm-up and then a linear decay."""

    learning_rate: float
    seed: int
    warmup: float = 0.1  # share of the steps, from 0 to 1
    weight_decay: float = 0.01
    compute: Literal["auto", "fp32", "bf16"] = "auto"  # see `resolve_compute`
    max_grad_norm: float = 1.0
    accumulate: int = 1  # batches per optimizer step
    gradient_checkpointing: bool = False
    save_every: float = 30.0  # seconds between checkpoints in the work directory
    tracking: Tracking | None = None  # what shows the training while it runs


@dataclass(frozen=True, slots=True)
class Fitted:
    """The result of a training."""

    steps: int
    examples: int
    first_loss: float  # mean over the first tenth of the steps
    final_loss: float  # mean over the last tenth
    seconds_per_step: float  # median; of this process's share of each step
    compute: str  # fp32 or bf16


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Reports progress, saves checkpoints by the clock, and stops when the loss is not finite."""

    def __init__(
        self, settings: Settings, progress: Progress, after: AfterStep, log: TrainingLog
    ) -> None:
        self.settings, self.progress, self.after, self.log = settings, progress, after, log
        self.tracker: Any = None  # another callback, which is given the scores of `after`
        self.saved_at = self.step_began = time.monotonic()
        self.step_seconds: list[float] = []
        self.loss: float | None = None  # the last one that was logged

    def _summary_line(self, state: Any) -> str:
        """`step 164 of 400, loss 1.31, 2.7 steps/s`."""
        recent = self.step_seconds[-50:]
        rate = len(recent) / max(sum(recent), 1e-6)
        loss = "" if self.loss is None else f", loss {self.loss:.3g}"
        return f"step {state.global_step} of {state.max_steps}{loss}, {rate:.3g} steps/s"

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.step_began = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        now = time.monotonic()
        self.step_seconds.append(now - self.step_began)
        self.progress(state.global_step / state.max_steps, self._summary_line(state))
        stop = self.after(state.global_step)
        if isinstance(self.after, Scoring) and self.after.scores:
            self._note_scores(self.after, args, state, control)
        if stop:
            control.should_training_stop = True
        elif state.global_step < state.max_steps:  # all processes take part in a save
            due = now - self.saved_at > self.settings.save_every
            control.should_save = processes.broadcast_from_main(due)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        loss = (logs or {}).get("loss")
        if loss is None:
            return
        if not math.isfinite(float(loss)):
            raise DivergedError(
                f"the loss became {loss} at step {state.global_step}; "
                f"lower learning_rate (now {self.settings.learning_rate:g})"
            )
        self.loss = float(loss)
        if processes.is_main():
            self.log.loss(state.global_step, self.loss, float(logs.get("learning_rate", 0.0)))

    def _note_scores(self, measured: Scoring, args: Any, state: Any, control: Any) -> None:
        scores = measured.scores
        if processes.is_main():
            self.log.scores(state.global_step, scores)
        if self.tracker is not None:
            logs = {f"eval_{name}": value for name, value in scores.items()}
            self.tracker.on_log(args, state, control, logs=logs)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.saved_at = time.monotonic()
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if processes.is_main():
            (folder / _COMPLETE).touch()
            self.log.checkpoint(state.global_step)


def last_checkpoint(work: Path) -> Path | None:
    """The newest complete checkpoint in a work directory; incomplete ones are removed."""
    for folder in work.glob("checkpoint-*"):
        if _step(folder) is None:
            shutil.rmtree(folder, ignore_errors=True)
    return newest_complete(work)


def newest_complete(work: Path) -> Path | None:
    """The newest complete checkpoint in a work directory; None where there is none."""
    complete = [(step, folder) for folder in work.glob("checkpoint-*") if (step := _step(folder))]
    return max(complete)[1] if complete else None


def _step(folder: Path) -> int | None:
    """The step of a checkpoint; None where it is incomplete."""
    match = re.fullmatch(r"checkpoint-(\d+)", folder.name)
    return int(match[1]) if match and (folder / _COMPLETE).is_file() else None


def fit(
    model: Any,
    data: TrainingData,
    objective: Objective,
    settings: Settings,
    work: Path,
    progress: Progress = lambda fraction, text: None,
    after: AfterStep = lambda step: None,
) -> Fitted:
    """Train `model` in place.

    Args:
        model: its trained parameters are those that require gradients.
        data: the batches, and how they become tensors.
        objective: the loss of a batch.
        work: directory of the checkpoints; a training that was killed resumes from them.
        progress: called after each optimizer step.
        after: called after each optimizer step with the number of steps done; True ends the
            training.

    Raises:
        DivergedError: the loss, or a trained weight at the end, is no longer a finite number.
        MethodError: several processes train, and `data` has no `cut`.
    """
    work.mkdir(parents=True, exist_ok=True)
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1 and data.cut is None:
        raise MethodError(
            f"{world} processes need effective_batch, the number of rows per step that they share"
        )
    set_seed(settings.seed)
    if settings.gradient_checkpointing:
        model.activation_checkpointing_enable()
    compute = resolve_compute(settings.compute)
    steps = Steps(data, settings.accumulate, rank=int(os.environ.get("RANK", "0")), world=world)
    watch = _Watch(settings, progress, after, TrainingLog(work))
    trainer = StepTrainer(
        objective,
        model=model,
        args=_arguments(settings, len(steps), compute, work, world),
        train_dataset=steps,
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    checkpoint = last_checkpoint(work)
    with _tracked(trainer, watch, work, (_step(checkpoint) or 0) if checkpoint else 0):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    _refuse_not_finite(model, trainer.state.global_step, settings)
    return _fitted(trainer.state, steps, watch.step_seconds, compute)


def _refuse_not_finite(model: Any, step: int, settings: Settings) -> None:
    """Raise DivergedError where a trained weight is not finite, as after a step whose loss is not.

    Of a long training the loss is looked at every few steps alone.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    if not all(bool(torch.isfinite(p).all()) for p in trained):
        raise DivergedError(
            f"the trained weights are no longer finite after step {step}; "
            f"lower learning_rate (now {settings.learning_rate:g})"
        )


@contextmanager
def _tracked(trainer: StepTrainer, watch: _Watch, work: Path, step: int) -> Iterator[None]:
    """Begin the log of a training and its tracker, after `step` steps."""
    if not processes.is_main():
        yield
        return
    watch.log.begin(step)
    tracking = watch.settings.tracking
    if tracking is None:
        yield
        return
    trainer.args.run_name, trainer.args.project = tracking.run_name(work), tracking.project
    with tracker(tracking, work, step) as watch.tracker:
        trainer.add_callback(watch.tracker)
        yield


def _arguments(
    settings: Settings, steps: int, compute: str, work: Path, world: int
) -> TrainingArguments:
    """What transformers.Trainer is configured with."""
    on_cpu = not torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(work),
        max_steps=steps,
        per_device_train_batch_size=1,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=round(settings.warmup * steps),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        bf16=compute == "bf16",
        use_cpu=on_cpu,
        ddp_backend="gloo" if world > 1 and on_cpu else None,
        seed=settings.seed,
        logging_steps=1 if steps < 200 else 10,
        logging_nan_inf_filter=False,
        save_strategy="no",
        save_total_limit=2,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
    )


def _fitted(state: Any, data: Steps, step_seconds: Sequence[float], compute: str) -> Fitted:
    """The result of a training, from the Trainer's state at its end."""
    steps = state.global_step
    losses = [(entry["step"], entry["loss"]) for entry in state.log_history if "loss" in entry]
    seconds = sorted(step_seconds) or [math.nan]
    last = [loss for _, loss in losses[-1:]]  # none may be in the last tenth of an early stop
    return Fitted(
        steps=steps,
        examples=data.examples(steps),
        first_loss=_mean([loss for step, loss in losses if step <= max(steps * 0.1, losses[0][0])]),
        final_loss=_mean([loss for step, loss in losses if step > steps * 0.9] or last),
        seconds_per_step=seconds[len(seconds) // 2],
        compute=compute,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
