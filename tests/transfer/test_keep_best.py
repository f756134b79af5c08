"""Which weights a training ends with: the best on English dev rows, a mean, or another seed's."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from quick import options
from safetensors.torch import load_file

from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.open_model import open_model
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from recipes.stages import train
from recipes.stages._shared.contract import Artifact, DataNeed
from transfer.encoded_rows.masked_text import MaskedText
from transfer.errors import DivergedError, MethodError
from transfer.loop import batch_plan
from transfer.loop.fit import Fitted, Settings, fit
from transfer.loop.types import TrainingData
from transfer.supervised.dev_scores import Dev, DevSet, english
from transfer.supervised.keep_best import Selecting, Selection
from transfer.supervised.restarts import refuse_collapse, train_with_restarts
from transfer.supervised.snapshots import Tail
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")


@pytest.mark.parametrize(
    ("keys", "needs"),
    [
        ({}, {("train", ("de",))}),
        ({"evaluate_every": 5}, {("train", ("de",)), ("dev", ("en",))}),
        ({"evaluate_every": 5, "dev_rows": "train"}, {("train", ("de",)), ("train", ("en",))}),
    ],
)
def test_a_stage_needs_the_rows_that_choose_its_weights(keys: Any, needs: Any) -> None:
    config = train.Config(
        name="t", stage="train", model="m", tasks=("panx",), languages=("de",), **keys
    )
    found = train.data(config, Artifact("checkpoint", task="panx"))
    assert {(need.split, need.languages) for need in found} == needs
    assert len(found) == len(needs) and all(need.task == "panx" for need in found)


def test_dev_rows_of_the_languages_trained_on_are_named_once() -> None:
    keys: Any = {"evaluate_every": 5, "dev_rows": "train"}
    config = train.Config(name="t", stage="train", model="m", tasks=("panx",), **keys)
    found = train.data(config, Artifact("checkpoint", task="panx"))
    assert found == (DataNeed("panx", "train", ("en",)),)


class _Stop(Exception):
    """Stands in for a kill."""


class _Scores:
    """A dev set whose scores are a wave over the weights' sum, so that they follow the weights."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.model, self.constant, self.calls = model, [], 0
        self.sets = [DevSet(TASKS.get("xnli"), [], 0, floor=40.0)]

    def __call__(self) -> dict[str, float]:
        self.calls += 1
        total = sum(float(p.detach().sum()) for p in self.model.parameters())
        return {"xnli": 60 + 20 * float(torch.sin(torch.tensor(40 * total)))}


def toy(work: Path, *, stop_at: int | None = None, save: bool = True, **how: Any) -> Any:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.3), torch.nn.Linear(8, 2))
    plan = batch_plan.plan([1] * 50, 5, 30, seed=1)
    chosen: Any
    if "count" in how:
        chosen = Tail(model, how["count"], how["share"], 30, work)
    else:
        chosen = Selection(_Scores(model), model, Selecting(**how), 30, work)  # type: ignore[arg-type]
    done = 0

    def collate(batch: batch_plan.Batch) -> dict[str, Any]:
        generator = torch.Generator().manual_seed(batch.seed)
        return {
            "x": torch.randn(5, 4, generator=generator),
            "y": torch.randint(0, 2, (5,), generator=generator),
        }

    def objective(module: Any, batch: dict[str, Any]) -> torch.Tensor:
        nonlocal done
        done += 1
        if done == stop_at:
            raise _Stop
        return torch.nn.functional.cross_entropy(module(batch["x"]), batch["y"])

    settings = Settings(1e-2, seed=1, compute="fp32", save_every=0 if save else 1e9)
    fitted = fit(model, TrainingData(plan, collate), objective, settings, work, after=chosen)
    last = {name: value.clone() for name, value in model.state_dict().items()}
    return chosen, fitted, last, chosen.finish(), model.state_dict()


@pytest.mark.slow
def test_the_best_score_is_kept_and_patience_stops(tmp_path: Path) -> None:
    selection, fitted, last, facts, kept = toy(tmp_path / "all", every=3)
    scores = {entry["step"]: entry["xnli"] for entry in selection.history}
    assert list(scores) == [*range(3, 31, 3)] and fitted.steps == 30
    best = max(scores, key=lambda step: (scores[step], -step))
    assert facts["kept step"] == best != 30
    assert any(not torch.equal(last[name], kept[name]) for name in kept)
    assert selection.dev()["xnli"] == pytest.approx(scores[best])
    assert selection.best(30)["mean"] == pytest.approx((scores[best] - 40) / 0.6)

    falls = next(s for s in scores if s > 3 and scores[s] < max(scores[t] for t in scores if t < s))
    selection, fitted, *_ = toy(tmp_path / "patient", every=3, patience=1)
    assert fitted.steps == falls
    *_, last, facts, kept = toy(tmp_path / "last", every=3, keep="last")
    assert facts["kept step"] == 30 and all(torch.equal(last[name], kept[name]) for name in kept)


@pytest.mark.parametrize("stop_at", [5, 14, 20, 29])
@pytest.mark.parametrize(
    "how", [{"every": 2}, {"every": 3, "patience": 4}, {"count": 4, "share": 0.5}]
)
@pytest.mark.slow
def test_a_killed_training_keeps_the_same_weights(
    tmp_path: Path, stop_at: int, how: dict[str, Any]
) -> None:
    whole = toy(tmp_path / "whole", save=False, **how)
    if whole[1].steps >= stop_at:
        with pytest.raises(_Stop):
            toy(tmp_path / "cut", stop_at=stop_at, **how)
        # What came after the newest checkpoint must not count.
        newest = sorted((tmp_path / "cut").glob("checkpoint-*"))[-1]
        (newest / "complete").unlink()
    resumed = toy(tmp_path / "cut", **how)
    assert resumed[1].steps == whole[1].steps and resumed[3] == whole[3]
    assert all(torch.equal(whole[4][name], resumed[4][name]) for name in whole[4])


@pytest.mark.slow
def test_the_mean_is_of_the_last_steps(tmp_path: Path) -> None:
    tail, _, _, facts, kept = toy(tmp_path, count=3, share=0.2)
    assert tail.steps == [26, 28, 30] and facts["weights"].endswith("26, 28, 30")
    files = [load_file(tmp_path / f"average-{step}.safetensors") for step in tail.steps]
    for name, value in kept.items():
        assert torch.allclose(value, sum(file[name] for file in files) / 3, atol=1e-7)
        assert not torch.equal(value, files[-1][name])


def test_dev_scores_are_those_of_evaluation_and_change_nothing(
    tiny_base: Path, tmp_path: Path
) -> None:
    task = TASKS.get("udpos")
    quick = options(method="full", max_steps=4)
    scored = dataclasses.replace(quick, selecting=Selecting(every=2, keep="last", examples=40))
    found = {}
    for name, how in (("plain", quick), ("scored", scored)):
        place = tmp_path / name
        found[name] = train_tasks(
            tiny_base, [task], EMBEDDED, how, work=place / "w", out=place / "out"
        )
    plain, ended = (load_file(tmp_path / n / "out/model.safetensors") for n in found)
    assert all(torch.equal(plain[name], ended[name]) for name in plain)
    result = evaluate(
        open_model(tmp_path / "scored/out"),
        task,
        EMBEDDED,
        label="m",
        out=tmp_path / "scores",
        options=EvaluationOptions(languages=["en"], split="dev"),
    )
    whole = english(task, EMBEDDED, 10_000)
    model = open_model(tmp_path / "scored/out").model  # type: ignore[attr-defined]
    assert Dev([whole], tiny_base, model)()["udpos"] == pytest.approx(
        result.metrics["chunk_f1"]["en"]
    )
    facts = found["scored"].summary
    assert facts["selected on"] == "English rows: udpos 40 of dev" and facts["kept step"] == 4


def test_rows_held_out_of_training_are_not_trained_on(tiny_base: Path, tmp_path: Path) -> None:
    from transfer.encoded_rows.load_rows import load_rows
    from transfer.find_task import find_task

    mnli = find_task("mnli")
    with pytest.raises(MethodError, match="set dev_rows: train"):
        english(mnli, EMBEDDED, 30)
    with pytest.raises(MethodError, match="leave evaluate_every out"):
        english(TASKS.get("lareqa"), EMBEDDED, 30)
    held = english(mnli, EMBEDDED, 30, "train")
    every = mnli.load(EMBEDDED, "train", "en")
    assert held.held_out == 30 and held.examples == every[-30:]
    rows = load_rows(mnli, EMBEDDED, tiny_base, 32, held_out=30)
    assert len(rows) == len(every) - 30
    quick = options(selecting=Selecting(every=1, rows="train", examples=20), max_examples=None)
    done = train_tasks(tiny_base, [mnli], EMBEDDED, quick, work=tmp_path / "w", out=tmp_path / "o")
    assert done.summary["selected on"] == "English rows: mnli 20 held out of train"


def test_everything_at_once_ends_bit_equal_after_a_kill(tiny_base: Path, tmp_path: Path) -> None:
    quick = options(
        max_steps=8,
        batch_size=4,
        effective_batch=12,
        batch_tokens=96,
        masked=MaskedText(share=0.3, languages=("de",), lines=50),
        selecting=Selecting(every=2, examples=20),
        settings=Settings(1e-2, seed=1, compute="fp32", save_every=0),
    )

    def go(name: str, stop_at: int | None = None) -> Any:
        def progress(fraction: float, text: str) -> None:
            if text.startswith(f"step {stop_at} of "):
                raise _Stop

        tasks, place = [TASKS.get("udpos"), TASKS.get("xcopa")], tmp_path / name
        train_tasks(
            tiny_base,
            tasks,
            EMBEDDED,
            quick,
            work=place / "w",
            out=place / "out",
            progress=progress,
        )
        return load_file(place / "out/adapter_model.safetensors")

    whole = go("whole")
    for step in (3, 6):
        with pytest.raises(_Stop):
            go("cut", stop_at=step)
    resumed = go("cut")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    histories = [
        json.loads((tmp_path / n / "w/selection.json").read_text()) for n in ("whole", "cut")
    ]
    assert histories[0] == histories[1] and len(histories[0]) == 4


def test_a_training_that_diverges_begins_again_with_another_seed(tmp_path: Path) -> None:
    seen: list[int] = []

    def once(seed: int, work: Path) -> int:
        seen.append(seed)
        work.mkdir(parents=True)
        if seed == 6:
            (work / "checkpoint-1").mkdir()
            (work / "training.jsonl").write_text("{}\n")
        if seed < 7:
            raise DivergedError("the loss became nan")
        return seed

    found, failures = train_with_restarts(once, 3, 5, tmp_path)
    assert found == 7 and seen == [5, 6, 7]
    assert failures == ["seed 5: the loss became nan", "seed 6: the loss became nan"]
    assert not (tmp_path / "seed-5").exists()
    assert [path.name for path in (tmp_path / "seed-6").iterdir()] == ["training.jsonl"]
    (tmp_path / "seed-7").rmdir()
    assert train_with_restarts(once, 3, 5, tmp_path)[0] == 7 and seen == [
        5,
        6,
        7,
        7,
    ]  # after a kill
    with pytest.raises(DivergedError, match=r"(?s)all 2 tries came to nothing:\n  seed 5: .*lower"):
        train_with_restarts(once, 1, 5, tmp_path)


def test_what_learnt_nothing_is_refused(tmp_path: Path) -> None:
    def fitted(first: float, last: float) -> Fitted:
        return Fitted(10, 80, first, last, 0.1, "fp32")

    refuse_collapse(fitted(1.2, 1.0), None)
    for last in (1.3, float("nan")):
        with pytest.raises(DivergedError, match=r"the loss began at 1\.2 "):
            refuse_collapse(fitted(1.2, last), None)
    model = torch.nn.Linear(1, 1)
    scores = _Scores(model)
    selection = Selection(scores, model, Selecting(every=1), 2, tmp_path)  # type: ignore[arg-type]
    for score, constant, said in (
        (39.0, [], "guessing scores 40.0"),
        (55.0, ["xnli"], "same answer"),
    ):
        entry = {"step": 1, "mean": 1.0, "xnli": score, "constant": constant}
        selection.history = [entry]
        with pytest.raises(DivergedError, match=said):
            refuse_collapse(fitted(1.2, 1.0), selection)
    selection.history = [{"step": 1, "mean": 1.0, "xnli": 55.0, "constant": []}]
    refuse_collapse(fitted(1.2, 1.0), selection)


def test_a_collapsed_training_says_so_when_all_seeds_are_spent(
    tiny_base: Path, tmp_path: Path
) -> None:
    still = options(restarts=1, settings=Settings(1e-12, seed=1, compute="fp32"), max_steps=2)
    with pytest.raises(DivergedError, match="all 2 tries came to nothing:\n  seed 1: the loss"):
        rows = [TASKS.get("xnli")]
        # The same batch twice: what learns nothing cannot end below where it began.
        quick = dataclasses.replace(
            still, max_examples=8, method_options={"rank": 4, "dropout": 0.0}
        )
        train_tasks(
            _still(tiny_base, tmp_path),
            rows,
            EMBEDDED,
            quick,
            work=tmp_path / "w",
            out=tmp_path / "o",
        )
    assert not (tmp_path / "o").exists()


def _still(base: Path, folder: Path) -> Path:
    """The same checkpoint without dropout."""
    import shutil

    shutil.copytree(base, folder / "still")
    path = folder / "still" / "config.json"
    config = json.loads(path.read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    path.write_text(json.dumps(config))
    return folder / "still"
