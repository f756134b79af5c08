"""`plan` times a model where its runtime computes, and with the threads that its stage asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plain_shapes import XLMR

from evalsuite.machine import probe
from evalsuite.machine.model_shape import ModelShape
from evalsuite.machine.probe import Probe
from evalsuite.machine.work import Batches, Work
from evalsuite.plain_config import plain_config
from recipes.cli.outlook import on_this_machine
from recipes.cluster.node_check import Files
from recipes.cluster.node_probe import Asked, StageWork, measure
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.plan import make_plan
from recipes.planning.planned import Plan
from recipes.planning.source_text import SourceText
from recipes.planning.time import work_of
from recipes.stages._shared import planned_model
from recipes.stages._shared.planned_model import PlannedModel, running_memory

RECIPE = """
name: runtimes
source: embedded
stages:
  - {name: t, stage: train, model: "package:recipes/models/e5-mini", tasks: [xnli], method: full,
     max_steps: 1}
  - {name: int8, stage: export, model: t, precision: int8, probe: 0}
  - {name: bf16, stage: export, model: t, runtime: torch, precision: bf16, probe: 0}
  - {name: alone, stage: benchmark, models: [int8], threads: 1}
  - {name: all, stage: benchmark, models: [int8]}
  - {name: scores, stage: evaluate, models: [t, int8], tasks: [xnli], languages: [de]}
"""
BATCHES = Batches(ModelShape.of(plain_config(XLMR)), 2, 8, 1)
Measured = list[tuple[str, int]]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The recipe above; nothing runs."""
    path = tmp_path_factory.mktemp("runtimes") / "r.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    return make_plan(load(str(path), ()), None, DigestMemo(), keys=False, weights=False)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    """Device and threads of each layer that a probe runs; none is computed."""
    import torch

    found: Measured = []

    def layer(batches: Batches, rows: int, device: str) -> Any:
        return lambda: found.append((device, torch.get_num_threads()))

    monkeypatch.setattr(probe, "_layer", layer)
    return found


def test_batches_of_a_cpu_runtime_are_measured_on_the_cpu(measured: Measured) -> None:
    machine = Probe(device="cuda", threads=1)
    machine.batch(BATCHES)
    machine.batch(replace(BATCHES, on_cpu=True))
    assert sorted({device for device, _ in measured}) == ["cpu", "cuda"]
    on_gpu, on_cpu = machine.figures()
    assert "device" not in on_gpu and on_cpu["device"] == "cpu"


def test_threads_of_batches_go_before_those_of_the_probe(measured: Measured) -> None:
    machine = Probe(device="cpu", threads=1)
    for threads in (None, 1, 3):
        machine.batch(replace(BATCHES, threads=threads))
    assert {threads for _, threads in measured} == {1, 3}
    assert [figure.get("threads") for figure in machine.figures()] == [None, 3]


def test_on_the_cpu_alone_each_shape_is_measured_once(measured: Measured) -> None:
    machine = Probe(device="cpu")
    machine.batch(BATCHES)
    count = len(measured)
    machine.batch(replace(BATCHES, on_cpu=True))
    assert len(measured) == count and len(machine.figures()) == 1


def test_a_node_measures_with_the_threads_of_the_stage(measured: Measured) -> None:
    work = Work((replace(BATCHES, threads=2),))
    answer = measure(Asked({"speed": StageWork(work, 4, gpu=False)}, Files(Path("none"), None, "")))
    assert {threads for _, threads in measured} == {2}
    assert [figure["threads"] for figure in answer.figures if figure["figure"] == "layer"] == [2]


def test_a_benchmark_is_measured_with_its_threads(plan: Plan, measured: Measured) -> None:
    text = SourceText(plan.data, clock=lambda: 0.0)
    works = work_of(plan, text, ["alone", "all"])
    threads = {}
    for label, work in works.items():
        assert isinstance(work, Work)
        assert all(batches.on_cpu for batches in work.batches)
        threads[label] = {batches.threads for batches in work.batches}
    assert threads == {"alone": {1}, "all": {None}}
    found = on_this_machine(plan, text, ["alone"], 1, lambda threads: Probe(threads=threads))
    assert {count for _, count in measured} == {1}
    assert found.machine is not None
    assert {f["threads"] for f in found.machine.figures if f["figure"] == "layer"} == {1}


def test_an_evaluation_times_each_model_where_it_runs(plan: Plan) -> None:
    work = work_of(plan, SourceText(plan.data, clock=lambda: 0.0), ["scores"])["scores"]
    assert isinstance(work, Work)
    assert [batches.on_cpu for batches in work.batches] == [False, True]


@pytest.mark.parametrize(
    ("bundle", "on_cpu"),
    [
        (None, False),
        (("torch", "bf16"), False),
        (("onnxruntime", "int8"), True),
        (("openvino", "int8"), True),
        (("executorch", "fp32"), True),
        (("numpy", "fp32"), True),
    ],
)
def test_runtimes_other_than_torch_compute_on_the_cpu(
    bundle: tuple[str, str] | None, on_cpu: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = PlannedModel(plain_config(XLMR), bundle=bundle)
    assert model.on_cpu == on_cpu
    small = running_memory([model]).parts["activations"]
    monkeypatch.setattr(planned_model, "has_gpu", lambda: True)
    large = running_memory([model]).parts["activations"]
    assert (large == small) == on_cpu  # batches on a GPU are larger
