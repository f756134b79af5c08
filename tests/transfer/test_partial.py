"""Methods that train some of a checkpoint's own weights: BitFit, the top layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from adapters import batch, inputs
from quick import options
from safetensors.torch import load_file
from transformers import AutoModelForMultipleChoice, AutoModelForTokenClassification

from evalsuite.registry import TASKS
from evalsuite.task import DataSource
from transfer.errors import MethodError
from transfer.models import checkpoints
from transfer.registry import METHODS
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")
_AUTO = {"udpos": AutoModelForTokenClassification, "xcopa": AutoModelForMultipleChoice}


@pytest.mark.parametrize("task", ["udpos", "xcopa"])
@pytest.mark.parametrize("name", ["bitfit", "last_k"])
def test_only_what_is_meant_moves(tiny_base: Path, tmp_path: Path, name: str, task: str) -> None:
    quick = options(method=name, max_steps=4, max_length=64, method_options={"last": 1})
    said = train_tasks(
        tiny_base, [TASKS.get(task)], EMBEDDED, quick, work=tmp_path / "w", out=tmp_path / "o"
    )
    before = load_file(tiny_base / "model.safetensors")
    after = load_file(tmp_path / "o" / "model.safetensors")
    moved = {n for n in after if n in before and not torch.equal(before[n], after[n])}
    kept = {n for n in after if n in before} - moved
    if name == "bitfit":
        assert moved and all(n.endswith(".bias") for n in moved)
        # A key's bias adds the same to all of a token's scores, so that it has no gradient.
        left = {n for n in kept if n.endswith(".bias") and "attention.self.key" not in n}
        assert not left
    else:
        assert moved and all(".encoder.layer.1." in n for n in moved)
        assert all(".encoder.layer.1." not in n for n in kept)
    assert {n.split(".")[0] for n in after if n not in before} <= {"classifier", "roberta"}
    share = float(said.summary["trained parameters %"])
    assert 0 < share < (5 if name == "bitfit" else 40)
    opened = _AUTO[task].from_pretrained(tmp_path / "o").eval()
    with torch.inference_mode():
        assert torch.isfinite(opened(**inputs(batch(TASKS.get(task), tiny_base))).logits).all()


@pytest.mark.parametrize("task", ["xnli", "udpos", "xquad", "xcopa"])
@pytest.mark.parametrize("name", ["bitfit", "last_k"])
def test_the_head_is_trained_whole(tiny_base: Path, name: str, task: str) -> None:
    model, _ = checkpoints.load(tiny_base, TASKS.get(task))
    METHODS.get(name).prepare(model, TASKS.get(task).format, "fp32", last=1)
    heads = [n for n, _ in model.named_parameters() if "encoder" not in n and "embeddings" not in n]
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    assert heads and set(heads) <= trained
    assert "roberta.embeddings.word_embeddings.weight" not in trained


def test_several_tasks_are_trained_through_the_top(tiny_base: Path, tmp_path: Path) -> None:
    quick = options(method="last_k", max_steps=4, method_options={"last": 1})
    both = [TASKS.get("xnli"), TASKS.get("panx")]
    train_tasks(tiny_base, both, EMBEDDED, quick, work=tmp_path / "w", out=tmp_path / "o")
    before = load_file(tiny_base / "model.safetensors")
    for name, value in load_file(tmp_path / "o" / "model.safetensors").items():
        if f"roberta.{name}" in before:
            same = torch.equal(value, before[f"roberta.{name}"])
            assert same == (".layer.1." not in name), name


@pytest.mark.parametrize("name", ["bitfit", "last_k"])
def test_what_cannot_be_is_refused(tiny_base: Path, name: str) -> None:
    chosen: Any = METHODS.get(name)
    for precision in ("int8", "nf4"):
        with pytest.raises(MethodError, match=f"{precision} weights cannot be trained"):
            chosen.check("pair", precision, last=1)
    if name == "last_k":
        with pytest.raises(MethodError, match="last_k needs last"):
            chosen.check("pair", "fp32")
        model, _ = checkpoints.load(tiny_base, TASKS.get("xnli"))
        with pytest.raises(MethodError, match="last: 3, but the model has 2 layers"):
            chosen.prepare(model, "pair", "fp32", last=3)
