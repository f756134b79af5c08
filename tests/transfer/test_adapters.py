"""Adapters and prompts as they were trained: evaluated live, fused where that is possible."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from adapters import batch, logits, trained
from quick import options

from compress.errors import FuseError
from compress.fuse.fuse import fuse
from evalsuite.evaluate import evaluate
from evalsuite.evaluation import EvaluationOptions
from evalsuite.inference.probe_text import Probe
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.planning.external_models import inspect
from recipes.stages import evaluate as evaluating
from recipes.stages import export as exporting
from recipes.stages import fuse as fusing
from recipes.stages._shared.contract import Artifact, Input
from recipes.stages._shared.open_input import open_input
from transfer.errors import AdapterError
from transfer.models.adapters import open_adapter
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")
METHODS: dict[str, dict[str, Any]] = {
    "lora": {"rank": 4, "dora": True},
    "soft_prompt": {"length": 4},
    "deep_prompt": {"length": 4},
}


def made(base: Path, folder: Path, name: str, task: str = "xnli", **changes: Any) -> Path:
    """An adapter trained in two steps."""
    quick = options(method=name, method_options=METHODS[name], **changes)
    train_tasks(base, [TASKS.get(task)], EMBEDDED, quick, work=folder / "work", out=folder / "out")
    return folder / "out"


@pytest.mark.parametrize("precision", ["fp32", "nf4"])
@pytest.mark.parametrize("task", ["xnli", "udpos", "xquad"])
@pytest.mark.parametrize("name", METHODS)
def test_a_live_adapter_says_what_the_trained_model_said(
    tiny_base: Path, tmp_path: Path, name: str, task: str, precision: Any
) -> None:
    model = trained(tiny_base, TASKS.get(task), name, tmp_path, precision, **METHODS[name])
    (tmp_path / "training.json").write_text(json.dumps({"base_precision": precision}))
    rows = batch(TASKS.get(task), tiny_base)
    predictor = open_adapter(tmp_path, TASKS.get(task))
    ids, mask = rows["input_ids"].numpy(), rows["attention_mask"].numpy()
    outputs = predictor(ids, mask, ("logits", "hidden_states.0", "hidden_states.2"))
    real = rows["attention_mask"].bool() if task != "xnli" else slice(None)
    said, again = logits(model, rows)[real], torch.from_numpy(outputs["logits"])[real]
    assert torch.allclose(said, again, atol=1e-5)
    last = torch.from_numpy(outputs["hidden_states.2"])
    assert last.shape == (*ids.shape, 64)
    if name != "soft_prompt" or task != "xnli":  # there the head reads a virtual token
        base = predictor.model.get_base_model()
        head = base.qa_outputs if task == "xquad" else base.classifier
        with torch.inference_mode():
            assert torch.allclose(head(last)[real], again, atol=1e-4)


@pytest.mark.parametrize("name", METHODS)
def test_adapters_are_scored_as_models_are(tiny_base: Path, tmp_path: Path, name: str) -> None:
    out = made(tiny_base, tmp_path, name, precision="nf4", embeddings="bf16")
    artifact = inspect(out, "./out")
    assert artifact.task == "xnli" and artifact.kind == ("adapter" if name == "lora" else "prompt")
    predictor = open_input(Input("tuned", out, artifact))
    assert predictor.max_length == 64 - (0 if name == "lora" else 4)
    for task in ("xnli", "tatoeba"):
        found = evaluate(
            predictor,
            TASKS.get(task),
            EMBEDDED,
            label="tuned",
            out=tmp_path / task,
            options=EvaluationOptions(languages=("de",), max_examples=20),
        )
        assert found.model.precision == "nf4" and found.model.label == "tuned"
    base = open_adapter(made(tiny_base, tmp_path / "b", name), TASKS.get("xnli")).describe("other")
    assert base.digest != found.model.digest and base.bytes == found.model.bytes


def test_prompts_go_to_evaluation_and_nowhere_else(tiny_base: Path, tmp_path: Path) -> None:
    prompt = Artifact("prompt", task="xnli")
    config = evaluating.Config(name="s", stage="evaluate", models=("p",), tasks=("xnli",))
    assert evaluating.check(config, {"models": (prompt,)}).kind == "scores"
    with pytest.raises(StageInputError, match="its labels are others"):
        evaluating.check(config, {"models": (Artifact("prompt", task="udpos"),)})
    with pytest.raises(StageInputError, match=r"needs an adapter, is given a prompt; .* merged"):
        fusing.check(fusing.Config(name="f", stage="fuse", model="p"), {"model": (prompt,)})
    with pytest.raises(StageInputError, match=r"is given a prompt; .* method: lora and fuse"):
        exporting.check(exporting.Config(name="e", stage="export", model="p"), {"model": (prompt,)})
    out = made(tiny_base, tmp_path, "deep_prompt")
    with pytest.raises(FuseError, match=r"is a prompt: .* no weights could hold them"):
        fuse(out, TASKS.get("xnli"), tmp_path / "fused")


@pytest.mark.parametrize("variant", [{"dora": True}, {"init": "loftq"}])
def test_variants_are_fused_into_what_they_were_trained_on(
    tiny_base: Path, tmp_path: Path, variant: dict[str, Any]
) -> None:
    quick = options(precision="nf4", max_steps=8, method_options={"rank": 8, **variant})
    out = tmp_path / "out"
    train_tasks(tiny_base, [TASKS.get("xnli")], EMBEDDED, quick, work=tmp_path / "w", out=out)
    probe = Probe(TASKS.get("xnli"), EMBEDDED, 8)
    drift = fuse(out, TASKS.get("xnli"), tmp_path / "fused", probe=probe).drift
    assert drift["dequantized"].maximum < 0.02 * drift["dequantized"].scale


def test_the_drift_of_an_adapter_of_choices_is_measured(tiny_base: Path, tmp_path: Path) -> None:
    task = TASKS.get("xcopa")
    quick = options(max_length=64, method_options={"rank": 4})
    train_tasks(tiny_base, [task], EMBEDDED, quick, work=tmp_path / "w", out=tmp_path / "out")
    probe = Probe(task, EMBEDDED, 4)
    drift = fuse(tmp_path / "out", task, tmp_path / "fused", probe=probe).drift["dequantized"]
    assert drift.maximum < 1e-4 and drift.agreement == 100
    assert load_checkpoint(tmp_path / "fused").config.num_hidden_layers == 2


def test_what_does_not_open_says_why(tiny_base: Path, tmp_path: Path) -> None:
    out = made(tiny_base, tmp_path, "lora")
    with pytest.raises(AdapterError, match="does not say which task"):
        open_adapter(out, None)
    with pytest.raises(AdapterError, match="is no adapter"):
        open_adapter(tiny_base, None)
    shutil.copytree(out, tmp_path / "moved")
    config = json.loads((out / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = str(tmp_path / "nowhere")
    (tmp_path / "moved" / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(AdapterError, match=r"the base of .* is gone"):
        open_adapter(tmp_path / "moved", TASKS.get("xnli"))
