"""Teachers' logits computed once: the same training, read back from the disk, averaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from quick import distillation, options
from safetensors.torch import load_file

from compress.distill import targets as module
from compress.distill.distill import distill
from compress.distill.kept_logits import worth_caching
from compress.distill.rules import logits_only
from compress.distill.targets import Targets, average
from compress.distill.teachers import logits_function, open_teacher
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint, logits_of
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact
from recipes.stages.distill import Config, check
from transfer.encoded_rows.load_rows import load_rows
from transfer.loop.batch_plan import Batch
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")
# They shift the logits of all tokens of a row alike, which a softmax over tokens does not see:
# their gradient is rounding alone, and Adam makes whole steps of it.
SHIFTS = ("qa_outputs.bias", "roberta.encoder.layer.0.output.LayerNorm.bias")
FORMATS = ("xnli", "udpos", "xquad", "xcopa")


@pytest.fixture(scope="module", params=FORMATS)
def taught(
    request: pytest.FixtureRequest, tiny_base: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    out = tmp_path_factory.mktemp(f"teacher-{request.param}")
    asked = options(method="full", method_options={}, max_examples=24)
    train_tasks(
        tiny_base, [TASKS.get(request.param)], EMBEDDED, asked, work=out / "work", out=out / "model"
    )
    return request.param, out / "model"


def test_what_is_read_back_is_what_the_teacher_computes(
    taught: tuple[str, Path], tmp_path: Path
) -> None:
    name, directory = taught
    teacher = load_checkpoint(directory)
    rows = load_rows(TASKS.get(name), EMBEDDED, directory, 48, max_examples=24)
    fewer = load_rows(TASKS.get(name), EMBEDDED, directory, 48, max_examples=5)
    targets = Targets.compute([logits_function(open_teacher(directory))], [fewer, rows], tmp_path)
    batch = Batch(1, (5, 0, 7), 0)
    found = targets.batch(batch)
    tensors = rows.collate(batch)
    inputs = {key: tensors[key] for key in ("input_ids", "attention_mask")}
    with torch.no_grad():
        wanted = logits_of(teacher(**inputs))
    if found.dim() == 3:
        wanted = wanted * inputs["attention_mask"][..., None]
    assert found.shape == wanted.shape
    assert torch.allclose(found, wanted, atol=1e-5)


def test_training_is_the_same_by_either_way(taught: tuple[str, Path], tmp_path: Path) -> None:
    name, directory = taught
    weights, told = [], []
    for cache in ("never", "always"):
        asked = distillation(cache=cache, max_examples=24, max_steps=6, max_length=48)
        _, facts = distill(
            directory, [TASKS.get(name)], EMBEDDED, asked, work=tmp_path / f"{cache}-work",
            out=tmp_path / cache,
        )  # fmt: skip
        told.append(facts["teacher's logits"])
        weights.append(load_file(tmp_path / cache / "model.safetensors"))
    assert told == ["with every batch", "once per row"]
    for key, value in weights[0].items():
        if name != "xquad" or key not in SHIFTS:
            assert torch.allclose(value, weights[1][key], atol=1e-4), key


def test_they_are_computed_of_rows_in_batches_alone(
    taught: tuple[str, Path], tmp_path: Path
) -> None:
    name, directory = taught
    asked = distillation(cache="always", max_examples=24, max_steps=2, max_length=48)
    task = [TASKS.get(name)]
    distill(directory, task, EMBEDDED, asked, work=tmp_path / "w", out=tmp_path / "out")
    index = json.loads((tmp_path / "w" / "targets" / "index.json").read_text())
    computed = sum(size > 0 for sizes in index["sizes"] for size in sizes)
    assert 0 < computed <= 2 * asked.batch_size < sum(map(len, index["sizes"]))


def test_they_are_computed_once_over_a_kill(
    tmp_path: Path, tiny_nli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = load_rows(TASKS.get("xnli"), EMBEDDED, tiny_nli, 48, max_examples=20)
    calls: list[int] = []

    def teacher(inputs: Any) -> torch.Tensor:
        calls.append(len(inputs["input_ids"]))
        if len(calls) == 2 and not done:
            raise KeyboardInterrupt
        return torch.ones(len(inputs["input_ids"]), 3)

    done: list[bool] = []
    monkeypatch.setattr(module, "_TOKENS", 256)
    with pytest.raises(KeyboardInterrupt):
        Targets.compute([teacher], [rows], tmp_path)
    assert not (tmp_path / "index.json").exists()
    done.append(True)
    calls.clear()
    Targets.compute([teacher], [rows], tmp_path)
    assert sum(calls) == 20
    calls.clear()
    found = Targets.compute([teacher], [rows], tmp_path)
    assert not calls and found.batch(Batch(0, (19,), 0)).tolist() == [[1.0, 1.0, 1.0]]


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("some", [None, ({1, 8}, {0, 5, 6, 18})])
def test_a_killed_run_goes_on_after_the_rows_it_wrote(
    tokens: bool,
    some: tuple[set[int], ...] | None,
    tmp_path: Path,
    tiny_nli: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where a part of the next rows is in the file already."""
    sets = [
        load_rows(TASKS.get("xnli"), EMBEDDED, tiny_nli, 48, max_examples=count)
        for count in (10, 20)
    ]
    left = [10**9]
    seen: list[int] = []

    def teacher(inputs: Any) -> torch.Tensor:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        ids = inputs["input_ids"]
        seen.append(len(ids))
        states = torch.stack([ids * 1.0, ids * 2.0], -1)
        return states if tokens else states.sum(1)

    monkeypatch.setattr(module, "_SHARD", 4)
    whole = Targets.compute([teacher], sets, tmp_path / "whole", wanted=some)
    calls, rows = len(seen), sum(seen)
    for before in range(1, calls):
        folder = tmp_path / f"killed-{before}"
        seen.clear()
        left[0] = before
        with pytest.raises(KeyboardInterrupt):
            Targets.compute([teacher], sets, folder, wanted=some)
        with (folder / "values.f32").open("ab") as file:
            file.write(b"half")
        left[0] = 10**9
        found = Targets.compute([teacher], sets, folder, wanted=some)
        assert rows <= sum(seen) <= rows + 4 and not (folder / "so_far.json").exists()
        for part, count in enumerate((10, 20)):
            for row in range(count) if some is None else some[part]:
                assert np.array_equal(found.row(part, row), whole.row(part, row))


def test_several_teachers_are_averaged() -> None:
    first, second = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    both = torch.softmax(average([first, second]), -1)
    product = torch.softmax(first, -1) * torch.softmax(second, -1)
    wanted = product.sqrt() / product.sqrt().sum()
    assert np.allclose(both, wanted)
    assert torch.equal(average([first]), first)


def test_once_a_row_where_that_saves_something() -> None:
    plain = distillation(hidden=0.0)
    assert worth_caching(plain, drawn=101, rows=100) and not worth_caching(
        plain, drawn=100, rows=100
    )
    assert not worth_caching(distillation(hidden=1.0), drawn=1000, rows=10)
    assert not worth_caching(distillation(cache="never"), drawn=1000, rows=10)
    assert worth_caching(distillation(cache="always"), drawn=1, rows=10)
    assert worth_caching(distillation(others=(Path("x"),)), drawn=1, rows=10)
    (problem,) = logits_only(distillation(cache="always", relations=1.0))
    assert problem.startswith("cache: always keeps logits only; set hidden: 0")


def test_the_same_teacher_twice_teaches_what_it_teaches_alone(
    tiny_nli: Path, tmp_path: Path
) -> None:
    weights = []
    for number, others in enumerate(((), (tiny_nli,))):
        asked = distillation(others=others, cache="always", max_examples=16)
        distill(
            tiny_nli, [TASKS.get("xnli")], EMBEDDED, asked, work=tmp_path / f"w{number}",
            out=tmp_path / str(number),
        )  # fmt: skip
        weights.append(load_file(tmp_path / str(number) / "model.safetensors"))
    assert all(torch.allclose(a, weights[1][name], atol=1e-5) for name, a in weights[0].items())


def test_the_stage_refuses_what_logits_cannot_give() -> None:
    def checked(**fields: Any) -> Artifact:
        config = Config(name="s", stage="distill", teacher="t", tasks=("xnli",), layers=1, **fields)
        inputs = {"teacher": [Artifact("checkpoint", "xnli")]}
        inputs["others"] = [Artifact("checkpoint", task) for task in fields.get("others", ())]
        return check(config, inputs)

    assert checked(hidden=0, cache="always", others=("xnli",)).kind == "checkpoint"
    with pytest.raises(StageInputError, match="cache: always keeps logits only; set hidden: 0"):
        checked(cache="always")
    with pytest.raises(
        StageInputError, match="trained on udpos cannot be averaged with one trained on xnli"
    ):
        checked(hidden=0, others=("udpos",))
