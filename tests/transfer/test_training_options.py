"""Options that must do what they say: frozen embeddings, mask rate, compute, refusals."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from quick import distillation, options
from safetensors.numpy import load_file

from compress.distill.distill import distill
from evalsuite.errors import ModelError, PickleRefusedError
from evalsuite.machine import environment
from evalsuite.registry import TASKS
from evalsuite.results.record import Environment
from evalsuite.task import DataSource, TagExample
from recipes.stages import pretrain as stage
from recipes.stages._shared.contract import Artifact
from transfer.encoded_rows.load_rows import load_rows
from transfer.encoder_shape import Shape
from transfer.loop import compute
from transfer.loop.compute import resolve_compute
from transfer.loop.fit import Settings, _fitted
from transfer.models import checkpoints
from transfer.objectives import mlm
from transfer.pretrain import Options, pretrain
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")
WORDS = "roberta.embeddings.word_embeddings.weight"


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_embeddings_stay_as_they_are(tiny_base: Path, tmp_path: Path, frozen: bool) -> None:
    quick = options(method="full", method_options={"freeze_embeddings": frozen})
    out = tmp_path / "out"
    train_tasks(tiny_base, [TASKS.get("xnli")], EMBEDDED, quick, work=tmp_path / "work", out=out)
    before, after = (load_file(d / "model.safetensors")[WORDS] for d in (tiny_base, out))
    assert (before == after).all() == frozen


def test_the_mask_rate_is_the_share_predicted() -> None:
    pieces = mlm.Pieces.among(2001, mask=2000, special={0, 1, 2, 3})
    batch = mlm.collate([[0, *range(4, 1000), 2]] * 8, 1, pieces, seed=1, rate=0.4)
    share = (batch["labels"] != -100).float().mean().item()
    assert abs(share - 0.4) < 0.02


@pytest.mark.parametrize(
    ("flags", "gain", "found"),
    [
        (("avx512_bf16", "amx_bf16"), 0.6, "bf16"),
        (("avx512_bf16",), 0.6, "fp32"),
        (("avx512_bf16",), 3.0, "bf16"),
        (("avx2",), 3.0, "fp32"),
    ],
)
def test_auto_computes_in_what_the_processor_has(
    monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], gain: float, found: str
) -> None:
    here = environment.capture(1)

    def capture(threads: int, device: str = "cpu") -> Environment:
        return here.model_copy(update={"instruction_set": flags})

    monkeypatch.setattr(environment, "capture", capture)
    monkeypatch.setattr(compute, "bf16_gain", lambda: gain)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_compute("auto") == found
    assert resolve_compute("fp32") == "fp32" and resolve_compute("bf16") == "bf16"


@pytest.mark.parametrize("native", [True, False])
def test_a_gpu_that_only_emulates_bf16_computes_in_fp32(
    monkeypatch: pytest.MonkeyPatch, native: bool
) -> None:
    def supported(including_emulation: bool = True) -> bool:
        return native or including_emulation

    monkeypatch.setattr(compute, "has_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert resolve_compute("auto") == ("bf16" if native else "fp32")


def test_an_early_stop_has_the_last_loss_that_was_logged() -> None:
    log = [{"step": 10, "loss": 2.0}, {"step": 20, "loss": 1.5}]
    state = SimpleNamespace(global_step=25, log_history=log)
    data = SimpleNamespace(examples=lambda steps: 4 * steps)
    fitted = _fitted(state, data, [0.1], "fp32")  # type: ignore[arg-type]
    assert (fitted.first_loss, fitted.final_loss, fitted.examples) == (2.0, 1.5, 100)
    nothing = _fitted(SimpleNamespace(global_step=3, log_history=[]), data, [], "fp32")  # type: ignore[arg-type]
    assert math.isnan(nothing.final_loss)


def test_the_gain_of_bf16_is_the_time_in_fp32_over_that_in_bf16(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = 0.0

    def product(left: torch.Tensor, right: torch.Tensor) -> None:
        nonlocal clock
        assert left.dtype == right.dtype
        clock += 3.0 if left.dtype == torch.float32 else 1.0

    monkeypatch.setattr(torch, "mm", product)
    monkeypatch.setattr(compute.time, "perf_counter", lambda: clock)
    assert compute.bf16_gain.__wrapped__() == 3.0


def test_nf4_on_cpu_refuses_widths_its_blocks_do_not_fit(tiny_base: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_base, tmp_path / "odd")
    path = tmp_path / "odd" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "intermediate_size": 96}))
    with pytest.raises(ModelError, match="multiples of 64; this model has 64 and 96"):
        checkpoints.load(tmp_path / "odd", TASKS.get("xnli"), "nf4")


def continued() -> Options:
    return Options(
        shape=None,
        steps=2,
        batch_size=4,
        max_length=32,
        max_pairs=20,
        tlm=0.5,
        mask_rate=0.15,
        lexical=False,
        freeze_embeddings=False,
        alpha=0.3,
        languages=("de",),
        settings=Settings(1e-3, seed=1, compute="fp32"),
    )


def test_a_model_that_is_pretrained_further_keeps_its_family() -> None:
    given = Artifact("checkpoint", family="modernbert", external=True, tokenizer="theirs")
    config = stage.Config(name="p", stage="pretrain", model="./m", steps=3)
    found = stage.check(config, {"model": (given,)})
    assert (found.family, found.tokenizer) == ("modernbert", "theirs")
    shape = {"layers": 1, "hidden": 8, "heads": 1, "ffn": 8, "vocabulary": 64}
    new = stage.Config.model_validate(
        {"name": "p", "stage": "pretrain", "shape": shape, "steps": 3}
    )
    assert stage.check(new, {}).family == "xlm-roberta"


def test_pretraining_goes_on_from_a_checkpoint(tiny_base: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    pretrain(tiny_base, EMBEDDED, continued(), work=tmp_path / "work", out=out)
    before, after = (load_file(d / "model.safetensors") for d in (tiny_base, out))
    assert before.keys() == after.keys()
    moved = max(float(abs(before[name] - after[name]).max()) for name in before)
    assert 0 < moved < 0.1
    tokenizers = [(d / "tokenizer.json").read_text() for d in (tiny_base, out)]
    assert tokenizers[0] == tokenizers[1]


@pytest.mark.parametrize("accumulate", [1, 3])
def test_steps_of_pretraining_are_those_of_the_optimizer(
    tiny_base: Path, tmp_path: Path, accumulate: int
) -> None:
    settings = Settings(1e-4, seed=1, compute="fp32", accumulate=accumulate)
    asked = dataclasses.replace(continued(), settings=settings)
    fitted, _ = pretrain(tiny_base, EMBEDDED, asked, work=tmp_path / "w", out=tmp_path / "o")
    assert (fitted.steps, fitted.examples) == (2, 2 * 4 * accumulate)


def test_a_model_that_is_continued_has_no_other_start() -> None:
    keys = {"name": "p", "stage": "pretrain", "steps": 1, "model": "m"}
    assert stage.Config(**keys).model == "m"
    with pytest.raises(ValidationError, match="init: is for shape"):
        stage.Config(**keys, init="lexical")


def test_pretraining_refuses_what_it_cannot_open(tiny_base: Path, tmp_path: Path) -> None:
    def go(directory: Path) -> Any:
        pretrain(directory, EMBEDDED, continued(), work=tmp_path / "w", out=tmp_path / "o")

    shutil.copytree(tiny_base, tmp_path / "cut")
    weights = tmp_path / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    with pytest.raises(ModelError, match="is not a whole safetensors file"):
        go(tmp_path / "cut")
    weights.rename(weights.with_name("pytorch_model.bin"))
    with pytest.raises(PickleRefusedError, match="convert it once"):
        go(tmp_path / "cut")


@pytest.mark.parametrize("name", ["xquad", "udpos"])
def test_no_row_is_longer_than_the_model_has_positions(
    name: str, tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = TASKS.get(name)
    if name == "udpos":  # a sentence longer than any embedded one
        words, tags = ("Maria",) * 300, ("PROPN",) * 300
        long = [TagExample("1", words, tags)] * 8
        monkeypatch.setattr(type(task), "load", lambda *asked: long)
    assert max(load_rows(task, EMBEDDED, tiny_base, 600, max_examples=8).lengths()) > 64
    asked = options(method="full", method_options={}, max_length=600, max_examples=8)
    model = tmp_path / "model"
    facts = train_tasks(tiny_base, [task], EMBEDDED, asked, work=tmp_path / "w", out=model).summary
    told = "64 tokens, the model's limit; max_length asks for 600"
    assert facts["longest sequence"] == told
    taught = distillation(max_length=600, max_examples=8)
    _, facts = distill(model, [task], EMBEDDED, taught, work=tmp_path / "d", out=tmp_path / "o")
    assert facts["longest sequence"] == told
    short = dataclasses.replace(taught, max_length=64)
    _, facts = distill(model, [task], EMBEDDED, short, work=tmp_path / "e", out=tmp_path / "p")
    assert "longest sequence" not in facts


def test_pretraining_too_keeps_to_the_positions_there_are(tiny_base: Path, tmp_path: Path) -> None:
    asked = dataclasses.replace(continued(), max_length=600)
    _, facts = pretrain(tiny_base, EMBEDDED, asked, work=tmp_path / "w", out=tmp_path / "o")
    assert facts["longest sequence"].startswith("64 tokens")
    scratch = dataclasses.replace(
        asked, shape=Shape(layers=1, hidden=16, heads=2, ffn=16, vocabulary=1000, max_length=10)
    )
    _, facts = pretrain(None, EMBEDDED, scratch, work=tmp_path / "s", out=tmp_path / "t")
    assert facts["longest sequence"] == "10 tokens, the model's limit; max_length asks for 600"


def test_settings_reach_the_optimizer(tiny_base: Path, tmp_path: Path) -> None:
    still = dataclasses.replace(continued(), settings=Settings(1e-12, seed=1, compute="fp32"))
    pretrain(tiny_base, EMBEDDED, still, work=tmp_path / "work", out=tmp_path / "out")
    before, after = (load_file(d / "model.safetensors") for d in (tiny_base, tmp_path / "out"))
    assert max(float(abs(before[name] - after[name]).max()) for name in before) < 1e-9
