"""A step is its rows, however many are read at once and by whom; losses around a point."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from breaks import breaks
from quick import options
from safetensors.torch import load_file

from evalsuite.errors import DataError, KilledError
from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from recipes import torchrun
from recipes.errors import RecipesError
from transfer.encoded_rows.load_rows import load_rows
from transfer.encoded_rows.masked_text import MaskedText
from transfer.errors import DivergedError, MethodError, TransferError
from transfer.loop import batch_plan
from transfer.loop.fit import Settings, fit
from transfer.loop.processes import Call, free_port, run_in_processes
from transfer.loop.types import TrainingData
from transfer.objectives.robust import Robust, robust
from transfer.supervised.keep_best import Selecting
from transfer.supervised.mixture import Part, cutter
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def still(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny checkpoint without dropout, so that nothing hangs on which rows are read at once."""
    folder = tmp_path_factory.mktemp("still") / "base"
    shutil.copytree(tiny_base, folder)
    path = folder / "config.json"
    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    path.write_text(json.dumps(json.loads(path.read_text()) | none))
    return folder


def steady(**changes: Any) -> Any:
    settings = Settings(1e-3, seed=1, compute="fp32", save_every=1e9)
    return options(
        **{
            "method": "full",
            "settings": settings,
            "effective_batch": 12,
            "max_steps": 4,
            **changes,
        }
    )


# What moves all scores of a softmax alike has a gradient of rounding errors, which Adam makes whole
# steps of: biases of keys, and of what a span's ends are read off.
_ADRIFT = ("key.bias", "qa_outputs.bias", "layer.1.output.LayerNorm.bias")


def same(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor], most: float) -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        if not name.endswith(_ADRIFT):
            assert torch.allclose(found[name], value, atol=most), name


def test_micro_batches_have_every_row_once_and_fit() -> None:
    lengths = [3 + (n * 37) % 50 for n in range(64)]
    whole = batch_plan.Batch(2, tuple(range(10, 42)), seed=3)
    for rows, tokens in ((5, None), (1, None), (32, None), (4, 120), (4, 10)):
        found = batch_plan.cut(whole, lengths, rows, tokens)
        assert sorted(i for batch in found for i in batch.indices) == list(whole.indices)
        assert {batch.part for batch in found} == {2}
        assert len({batch.seed for batch in found}) == len(found)
        for batch in found:
            padded = max(lengths[i] for i in batch.indices) * len(batch.indices)
            fits = padded <= tokens if tokens else len(batch.indices) <= rows
            assert fits or len(batch.indices) == 1
    assert len(batch_plan.cut(whole, lengths, 5)) == 7


def test_tokens_of_a_micro_batch_are_those_of_all_choices(still: Path) -> None:
    rows = load_rows(TASKS.get("xcopa"), EMBEDDED, still, 64, max_examples=24)
    whole = batch_plan.Batch(0, tuple(range(24)), seed=3)
    width = max(rows.lengths())
    for tokens in (4 * width, 9 * width, 1):
        found = cutter([Part(rows, 1.0, 0)], 24, tokens)(whole)
        assert sorted(i for batch in found for i in batch.indices) == list(range(24))
        shapes = [rows.collate(batch)["input_ids"].shape for batch in found]
        assert all(shape[1] == 2 for shape in shapes)
        assert all(shape.numel() <= tokens or shape[0] == 1 for shape in shapes)
        assert shapes[0][0] == max(1, tokens // (2 * width))


def test_items_are_labels_or_rows() -> None:
    ids = torch.ones(3, 5)
    assert batch_plan.items({"input_ids": ids, "labels": torch.tensor([0, 2, 1])}) == 3
    tags = torch.tensor([[-100, 2, 0], [-100, 1, -100]])
    assert batch_plan.items({"input_ids": ids, "labels": tags}) == 3
    assert batch_plan.items({"input_ids": ids, "start_positions": torch.zeros(3)}) == 3


def test_a_score_of_minus_100_is_an_item() -> None:
    scores = torch.tensor([[-100.0], [3.5], [-100.0]])
    assert batch_plan.items({"input_ids": torch.ones(3, 5), "labels": scores}) == 3
    assert batch_plan.items({"input_ids": torch.ones(3, 5), "labels": torch.ones(3, 2)}) == 6


@pytest.mark.parametrize("name", ["xnli", "udpos", "xquad"])
def test_memory_does_not_change_a_training(still: Path, tmp_path: Path, name: str) -> None:
    found = {}
    for rows, tokens in ((12, None), (5, None), (12, 70)):
        place = tmp_path / f"{rows}-{tokens}"
        how = steady(batch_size=rows, batch_tokens=tokens)
        done = train_tasks(
            still, [TASKS.get(name)], EMBEDDED, how, work=place / "w", out=place / "o"
        )
        assert done.fitted.steps == 4
        found[rows, tokens] = done.fitted, load_file(place / "o/model.safetensors")
    whole, weights = found.pop((12, None))
    for fitted, parts in found.values():
        assert fitted.examples == whole.examples >= 36
        assert fitted.final_loss == pytest.approx(whole.final_loss, rel=1e-4)
        same(parts, weights, 2e-5)


def test_batches_of_ranked_rows_are_not_cut(still: Path, tmp_path: Path) -> None:
    with pytest.raises(MethodError, match="each other's negatives"):
        train_tasks(
            still,
            [TASKS.get("lareqa")],
            EMBEDDED,
            steady(),
            work=tmp_path / "w",
            out=tmp_path / "o",
        )


def losses(work: Path) -> list[float]:
    """Of each logged step, from the newest checkpoint."""
    newest = max(work.glob("checkpoint-*"), key=lambda p: int(p.name.rpartition("-")[2]))
    log = json.loads((newest / "trainer_state.json").read_text())["log_history"]
    return [entry["loss"] for entry in log]


@pytest.mark.slow
def test_two_processes_train_as_one_does(tiny_base: Path, tmp_path: Path) -> None:
    """With dropout, masked LM, two tasks, dev scores and early stopping."""
    how = steady(
        batch_size=3,
        max_steps=6,
        masked=MaskedText(share=0.3, languages=("de",), lines=50),
        selecting=Selecting(every=2, examples=20),
        settings=Settings(1e-3, seed=1, compute="fp32", save_every=0),
    )
    what = (tiny_base, [TASKS.get("xnli"), TASKS.get("udpos")], EMBEDDED, how)
    shown: list[str] = []
    done = {}
    for count in (1, 2):
        place = {"work": tmp_path / f"{count}/w", "out": tmp_path / f"{count}/o"}
        if count == 1:
            done[count] = train_tasks(*what, **place)
        else:
            done[count] = run_in_processes(
                2, Call(train_tasks, what, place), lambda fraction, text: shown.append(text)
            )
    last = r"step 6 of 6, loss \d+(\.\d+)?, \d+(\.\d+)? steps/s"
    assert any(re.fullmatch(last, text) for text in shown)
    assert done[1].fitted.steps == done[2].fitted.steps == 6
    one, two = (losses(tmp_path / f"{count}/w") for count in (1, 2))
    assert len(one) == 5 and two == pytest.approx(one, rel=1e-4)
    weights = [load_file(tmp_path / f"{count}/o/model.safetensors") for count in (1, 2)]
    same(weights[1], weights[0], 1e-4)
    assert done[1].summary["kept step"] == done[2].summary["kept step"]


@pytest.mark.slow
def test_what_breaks_in_a_process_is_said_here(tmp_path: Path) -> None:
    for how, error, said in (
        ("ours", DivergedError, "what broke"),
        ("data", DataError, "what broke"),
        ("bug", RuntimeError, "KeyError: .what broke"),
        ("pickle", TransferError, "convert it once"),
        ("killed", KilledError, "fewer processes"),
        ("signal", KilledError, "a process of the training was killed"),
    ):
        with pytest.raises(error, match=said):
            run_in_processes(2, Call(breaks, (how,)), lambda fraction, text: None)


def test_processes_need_steps_that_can_be_shared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from pydantic import ValidationError

    from recipes.stages._shared.train_options import processes
    from recipes.stages.train import Config

    keys: dict[str, Any] = {"name": "t", "stage": "train", "model": "m", "tasks": ("xnli",)}
    with pytest.raises(ValidationError, match="say its rows: effective_batch"):
        Config(**keys, processes=2)
    assert processes(Config(**keys, processes=2, effective_batch=8)) == 2
    assert {"processes", "save_every"} <= Config.not_in_key
    monkeypatch.setenv(torchrun.VARIABLE, "3")
    assert processes(Config(**keys, effective_batch=8)) == 3 and processes(Config(**keys)) == 1
    monkeypatch.setenv("WORLD_SIZE", "2")
    plan = batch_plan.plan([1] * 4, 2, 2, seed=1)
    with pytest.raises(MethodError, match="2 processes need effective_batch"):
        data = TrainingData(plan, dict)  # type: ignore[arg-type]
        fit(torch.nn.Linear(1, 1), data, lambda m, b: m(b), Settings(1e-3, 1), tmp_path)


def test_of_launched_processes_the_first_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def launch(**environment: str) -> bool:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return torchrun.leaves()

    assert not launch() and torchrun.processes() == 1
    assert launch(WORLD_SIZE="2", RANK="1")
    assert not launch(WORLD_SIZE="2", RANK="0", MASTER_PORT="1", ACCELERATE_USE_CPU="1")
    assert torchrun.processes() == 2 and not {"RANK", "ACCELERATE_USE_CPU"} & set(os.environ)
    with pytest.raises(RecipesError, match="on one machine"):
        launch(WORLD_SIZE="4", LOCAL_WORLD_SIZE="2", RANK="0")
    for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "RANK"):
        monkeypatch.delenv(name)
    mpi = {"OMPI_COMM_WORLD_SIZE": "3", "OMPI_COMM_WORLD_LOCAL_SIZE": "3"}
    assert launch(**mpi, OMPI_COMM_WORLD_RANK="2")
    assert not launch(**mpi, OMPI_COMM_WORLD_RANK="0") and torchrun.processes() == 3
    monkeypatch.delenv(torchrun.VARIABLE)
    assert capsys.readouterr().err == ""
    assert not launch(MASTER_ADDR="127.0.0.1", ACCELERATE_USE_CPU="True")
    assert "asked for several processes and started one" in capsys.readouterr().err


@pytest.fixture
def launcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[str]], None]]:
    """`accelerate launch` in this process, which has imported what it needs."""
    from accelerate.commands.launch import launch_command, launch_command_parser

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    yield lambda arguments: launch_command(launch_command_parser().parse_args(arguments))
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.slow
def test_a_launched_recipe_is_run_by_one_process(
    tiny_base: Path,
    tmp_path: Path,
    launcher: Callable[[list[str]], None],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "r.yaml").write_text(
        "name: r\nsource: embedded\nstages:\n"
        f"  - {{name: t, stage: train, model: {tiny_base}, tasks: [xnli], method: full,"
        " effective_batch: 8, batch_size: 4, max_steps: 2, max_examples: 40, max_length: 32,"
        " compute: fp32, learning_rate: 1.0e-3}\n"
    )
    command = ["--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
    command += ["--mixed_precision", "no", "--dynamo_backend", "no"]
    command += ["--main_process_port", str(free_port()), "-m", "recipes.cli", "run", "r.yaml"]
    monkeypatch.chdir(tmp_path)
    launcher(command)
    out = capfd.readouterr().out
    assert out.count("steps 2") == 1 and "1 made" in out
    (made,) = (tmp_path / ".lingopress" / "stages").glob("train-*")
    summary = json.loads((made / "lingopress.json").read_text())["record"]["summary"]
    assert summary["processes"] == 2


class _Words(torch.nn.Module):
    """Two words of length 5 and padding; the answer is their sum's first entry."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(3, 2)
        self.table.weight.data = torch.tensor([[3.0, 4.0], [-4.0, 3.0], [0.0, 0.0]])

    def get_input_embeddings(self) -> torch.nn.Embedding:
        return self.table


def _first(model: Any, batch: Any) -> torch.Tensor:
    vectors = model.table(batch["ids"])
    return (vectors[..., 0] * batch["mask"]).sum()


def test_adversarial_loss_is_at_the_worst_point_of_the_ball() -> None:
    model = _Words()
    batch = {"ids": torch.tensor([[0, 1]]), "mask": torch.tensor([[1.0, 1.0]])}
    clean = _first(model, batch).item()
    for steps in (1, 3):
        found = robust(_first, Robust(adversarial=0.1, steps=steps))(model, batch)
        # Each of two words moves 0.1 x 5 along the first axis; the loss is half-way.
        assert found.item() == pytest.approx(clean + (0.5 + 0.5) / 2)
    found.backward()
    assert model.table.weight.grad is not None and not model.table._forward_hooks
    padded = {"ids": torch.tensor([[0, 1, 2]]), "mask": torch.tensor([[1.0, 1.0, 0.0]])}
    assert torch.isfinite(robust(_first, Robust(adversarial=0.1))(model, padded))


def test_noise_has_the_length_asked_for_and_no_direction() -> None:
    torch.manual_seed(0)
    model = _Words()
    batch = {"ids": torch.tensor([[0, 1]] * 2000), "mask": torch.ones(2000, 2)}
    seen: list[torch.Tensor] = []

    def keep(model: Any, batch: Any) -> torch.Tensor:
        seen.append(model.table(batch["ids"]).detach())
        return seen[-1].sum()

    robust(keep, Robust(noise=0.2))(model, batch)
    moved = seen[0] - model.table(batch["ids"]).detach()
    assert moved.pow(2).sum(-1).mean().sqrt().item() == pytest.approx(0.2 * 5, rel=0.05)
    assert moved.mean(dim=(0, 1)).abs().max() < 0.05


@pytest.mark.parametrize("names", [["xnli"], ["lareqa"], ["udpos", "xcopa"]])
def test_robust_losses_go_with_any_task(still: Path, tmp_path: Path, names: list[str]) -> None:
    how = Robust(adversarial=0.1, steps=2, noise=0.05)
    text = MaskedText(share=0.3, languages=("de",), lines=50)
    quick = options(robust=how, masked=text, max_steps=3)
    tasks = [TASKS.get(name) for name in names]
    done = train_tasks(still, tasks, EMBEDDED, quick, work=tmp_path / "w", out=tmp_path / "o")
    assert done.fitted.final_loss > 0
