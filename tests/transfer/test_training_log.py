"""What a training writes while it runs: no step twice and none lost; trackers; curves in words."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from report_fakes import a_run
from torch import nn

from evalsuite.install_command import how_to_install
from evalsuite.report.figures.training import in_words, smoothed
from evalsuite.report.output.page import html, markdown, page
from evalsuite.results.training import DevScore, TrainingCurve
from recipes.stages import train
from transfer.loop import tracking
from transfer.loop.batch_plan import plan
from transfer.loop.fit import Settings, fit
from transfer.loop.tracking import Tracking
from transfer.loop.training_log import POINTS, TrainingLog, read_curves
from transfer.loop.types import TrainingData

STEPS = 12


class Killed(Exception):
    """Stands in for a kill."""


class Scores:
    """Scores every fourth step; the training is killed after a step, where one is given."""

    def __init__(self, killed: int | None = None) -> None:
        self.killed, self.scores = killed, dict[str, float]()

    def __call__(self, step: int) -> None:
        self.scores = {"xnli": 50.0 + step} if step % 4 == 0 else {}
        if step == self.killed:
            raise Killed


def fitted(work: Path, killed: int | None = None, **changes: Any) -> None:
    torch.manual_seed(0)
    data = TrainingData(plan([1] * 8, 2, STEPS, seed=1), lambda batch: {"x": torch.ones(2, 3)})
    settings = Settings(1e-2, seed=1, compute="fp32", **changes)
    model = nn.Linear(3, 1)
    fit(model, data, lambda m, b: m(b["x"]).pow(2).mean(), settings, work, after=Scores(killed))


def test_a_resumed_training_has_every_step_once(tmp_path: Path) -> None:
    fitted(tmp_path / "whole", save_every=1e9)
    for killed in (7, 10):
        with pytest.raises(Killed):
            fitted(tmp_path / "cut", killed, save_every=0.0)
        with (tmp_path / "cut" / "training.jsonl").open("a") as file:
            file.write('{"step": 9, "lo')  # what a kill in mid-write leaves
    fitted(tmp_path / "cut", save_every=0.0)
    (whole,), (cut,) = read_curves(tmp_path / "whole"), read_curves(tmp_path / "cut")
    assert cut.steps == tuple(range(1, STEPS + 1))
    assert (cut.losses, cut.rates, cut.scores) == (whole.losses, whole.rates, whole.scores)
    assert [(score.step, score.value) for score in cut.scores] == [(4, 54), (8, 58), (12, 62)]
    assert cut.resumed == (6, 9) and whole.resumed == () and whole.checkpoints == ()
    assert cut.checkpoints == tuple(range(1, STEPS))


def test_a_long_curve_is_thinned_to_means(tmp_path: Path) -> None:
    (tmp_path / "round-1" / "training").mkdir(parents=True)
    log = TrainingLog(tmp_path / "round-1" / "training")
    log.path.write_text(
        "".join(
            json.dumps({"step": n, "loss": float(n), "rate": 1.0}) + "\n"
            for n in range(1, 3 * POINTS + 1)
        )
    )
    (curve,) = read_curves(tmp_path)
    assert curve.name == "round-1"
    assert len(curve.steps) == POINTS and curve.steps[:2] == (3, 6) and curve.losses[0] == 2.0


def test_a_report_shows_and_says_how_trainings_went() -> None:
    curve = TrainingCurve(
        name="seed-2",
        steps=(10, 20, 30),
        losses=(2.0, 1.0, 1.5),
        rates=(1e-4, 2e-4, 1e-4),
        scores=tuple(
            DevScore(step=step, name=name, value=value)
            for name, step, value in (("xnli", 10, 60), ("xnli", 20, 70), ("panx", 20, 40))
        ),
        checkpoints=(10, 20),
        resumed=(20,),
    )
    assert smoothed([4.0, 2.0, 3.0])[0] == 4.0 and 2.0 < smoothed([4.0, 2.0])[1] < 3.0
    words = in_words(curve)
    assert words.startswith("30 steps, loss 2 to ") and "learning rate at most 0.0002" in words
    assert "xnli: 70.0, best 70.0 at step 20." in words and "Resumed at step 20." in words
    run = a_run()
    run = run.model_copy(
        update={"stages": (run.stages[0].model_copy(update={"curves": (curve,)}),)}
    )
    shown = page(run)
    assert html(shown).count("<figcaption>teacher[task=xnli] seed-2</figcaption>") == 1
    assert "Loss and dev scores against steps" in markdown(shown)
    assert 'id="training"' not in html(page(a_run()))


def test_tensorboard_shows_each_step_once(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    work = tmp_path / "work" / "seed-2"
    how = Tracking("tensorboard", tmp_path / "tracked", "re/cipe", "teacher", tmp_path / "work")
    before = dict(os.environ)
    with pytest.raises(Killed):
        fitted(work, 7, save_every=0.0, tracking=how)
    fitted(work, save_every=0.0, tracking=how)
    assert dict(os.environ) == before
    shown = EventAccumulator(str(tmp_path / "tracked/tensorboard/re-cipe/teacher seed-2")).Reload()
    losses = shown.Scalars("train/loss")
    assert [event.step for event in losses] == list(range(1, STEPS + 1))
    assert [event.step for event in shown.Scalars("eval/xnli")] == [4, 8, 12]
    (curve,) = read_curves(tmp_path / "work")
    assert [event.value for event in losses] == pytest.approx(curve.losses)


def test_a_missing_tracker_is_said_and_no_key_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    config = train.Config(name="a", stage="train", model="b", tasks=("xnli",), track="wandb")
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    assert config.lacking() == (
        f"track: wandb is not installed; {how_to_install('wandb')}; or remove the key track"
    )
    assert "track" in train.Config.not_in_key
    assert config.model_copy(update={"track": None}).lacking() == ""
