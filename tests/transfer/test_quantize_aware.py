"""Quantization-aware training: rounded as the export rounds, whole again afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir
import onnxruntime
import pytest
import torch
from heads import headed
from quick import distillation, options
from torch import nn

from compress.distill.distill import distill
from compress.export import graph
from compress.export.export import export
from compress.export.exporter import GROUP, Quantizing
from compress.export.quantize import quantize
from evalsuite.agreement import outputs as parity
from evalsuite.inference.open_model import open_model
from evalsuite.inference.probe_text import sample
from evalsuite.inference.session import Session
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import TorchPredictor, load_checkpoint
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages import distill as distilling
from recipes.stages import train as training
from recipes.stages._shared.contract import Artifact
from transfer.loop import batch_plan
from transfer.loop.fit import Settings, fit, last_checkpoint
from transfer.loop.types import TrainingData
from transfer.models.checkpoints import copy_tokenizer
from transfer.precision import train_rounded as aware
from transfer.precision.train_rounded import quantize_aware
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")
ROUNDINGS = ("int8", "int4-weights")


def scaled(base: Path, out: Path, change: Any) -> Path:
    """A tagger, its parameters changed by `change(name, tensor)`."""
    model = load_checkpoint(headed(base, "tagging", out / "plain"))
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            change(name, tensor)
    model.save_pretrained(out / "out")
    copy_tokenizer(base, out / "out")
    return out / "out"


@pytest.mark.parametrize("head", ["tagging", "pair"])
def test_what_is_trained_is_what_the_export_computes(
    head: str, tiny_base: Path, tmp_path: Path
) -> None:
    model = load_checkpoint(headed(tiny_base, head, tmp_path))
    traced = graph.trace(model, "onnxruntime", choices=False, precision="fp32", whole=True)
    ids = torch.randint(5, 500, (4, 20), generator=torch.Generator().manual_seed(0))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    outputs = ["logits", "hidden_states.0", "hidden_states.2"]

    def outcome() -> list[np.ndarray]:
        with torch.no_grad():
            found = model(**inputs, output_hidden_states=True)
        return [t.numpy() for t in (found.logits, *(found.hidden_states[k] for k in (0, 2)))]

    whole = outcome()
    for precision, near in (("int8", 1e-4), ("int4-weights", 0.25)):
        program = onnx_ir.serde.serialize_model(quantize(traced, Quantizing(precision)))
        exact = onnxruntime.SessionOptions()
        exact.add_session_config_entry("session.x64quantprecision", "1")  # no sum overflows
        bundle = onnxruntime.InferenceSession(
            program.SerializeToString(), exact, providers=["CPUExecutionProvider"]
        )
        stored = bundle.run(outputs, {name: tensor.numpy() for name, tensor in inputs.items()})
        with quantize_aware(model, precision):  # type: ignore[arg-type]
            rounded = outcome()
        for one, ours, before in zip(stored, rounded, whole, strict=True):
            lost = np.abs(one - before).mean()
            assert lost > 1e-3
            # of int4 the runtime's own rounding of activations is left
            assert np.abs(one - ours).mean() < near * lost
    assert all(np.array_equal(a, b) for a, b in zip(whole, outcome(), strict=True))


@pytest.mark.parametrize("width", [64, 80])
def test_blocks_are_the_quantizers_own(width: int) -> None:
    from onnxruntime.quantization.matmul_nbits_quantizer import (
        DefaultWeightOnlyQuantConfig,
        DefaultWeightOnlyQuantizer,
    )

    assert aware.GROUP == GROUP
    weight = torch.randn(10, width, generator=torch.Generator().manual_seed(0))
    weight[0], weight[1], weight[2] = 0, weight[1].abs(), -weight[2].abs()
    config = DefaultWeightOnlyQuantConfig(block_size=GROUP, bits=4)

    def halves(packed: np.ndarray) -> np.ndarray:
        return np.stack([packed & 15, packed >> 4], -1).reshape(*packed.shape[:-1], -1)

    codes, scales, zeros = DefaultWeightOnlyQuantizer(config).qbits_block_quant(
        weight.numpy().T.copy()
    )
    codes, zeros = (
        np.stack([x & 15, x >> 4], -1).reshape(*x.shape[:-1], -1) for x in (codes, zeros)
    )
    zeros = zeros[:, : scales.shape[1], None].astype(np.float32)
    stored = ((codes - zeros) * scales[..., None]).reshape(10, -1)[:, :width]
    assert np.allclose(aware.by_block(weight).numpy(), stored, atol=1e-6)
    assert np.abs(stored - weight.numpy()).max() > 0.01


def test_a_row_of_zeros_and_a_table_stay_what_they_are() -> None:
    weight = torch.randn(4, 40, generator=torch.Generator().manual_seed(0))
    weight[2] = 0
    for rounded in (aware.by_output(weight), aware.by_block(weight), aware.by_tensor(weight)):
        assert not rounded[2].any() and rounded[1].any() and torch.isfinite(rounded).all()
    scale = weight.abs().amax(1, keepdim=True) / 127
    scale[2] = 1
    assert torch.allclose(aware.by_output(weight), (weight / scale).round() * scale, atol=1e-6)
    assert torch.equal(aware.by_tensor(weight[:1], weight), aware.by_tensor(weight)[:1])


@pytest.mark.parametrize("precision", ROUNDINGS)
def test_gradients_pass_as_if_nothing_was_rounded(precision: Any) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(20, 32), nn.Linear(32, 8))
    ids = torch.arange(12).view(3, 4)
    table, linear = model[0], model[1]
    with quantize_aware(model, precision):
        rounded = table(ids)
        model(ids).sum().backward()
        inputs = aware.by_tensor(rounded) if precision == "int8" else rounded
        assert isinstance(linear.weight.grad, torch.Tensor)
        assert torch.allclose(linear.weight.grad[0], inputs.detach().sum((0, 1)), atol=1e-5)
        make = {"int8": aware.by_output, "int4-weights": aware.by_block}[precision]
        expected = make(linear.weight).detach().sum(0)
        assert isinstance(table.weight.grad, torch.Tensor)
        assert torch.allclose(table.weight.grad[5], expected, atol=1e-5)
        assert not table.weight.grad[15].any()  # not looked up


def test_nothing_of_it_is_left(tiny_nli: Path) -> None:
    model = load_checkpoint(tiny_nli)
    names = list(model.state_dict())
    with pytest.raises(KeyError), quantize_aware(model, "int8"):
        assert list(model.state_dict()) == names
        raise KeyError
    assert not [m for m in model.modules() if "forward" in vars(m)]
    with quantize_aware(model, None):
        assert not [m for m in model.modules() if "forward" in vars(m)]


@pytest.mark.parametrize("compute", ["fp32", "bf16"])
@pytest.mark.slow
def test_a_killed_training_ends_bit_equal(compute: Any, tmp_path: Path) -> None:
    plan = batch_plan.plan([1] * 40, 5, 20, seed=1)

    class Stop(Exception):
        pass

    def collate(batch: batch_plan.Batch) -> dict[str, torch.Tensor]:
        generator = torch.Generator().manual_seed(batch.seed)
        ids = torch.randint(0, 30, (5, 4), generator=generator)
        return {"ids": ids, "y": ids[:, 0] % 2}

    def run(work: Path, rounding: Any, stop_at: int | None = None) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Embedding(30, 32), nn.Dropout(0.2), nn.Linear(32, 2))
        done = 0

        def objective(module: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            nonlocal done
            done += 1
            if stop_at is not None and done > stop_at:
                raise Stop
            logits = module(batch["ids"])
            halves = logits.to(torch.bfloat16).float()  # accelerate gives outputs back in fp32
            assert torch.equal(logits, halves) == (compute == "bf16")
            return nn.functional.cross_entropy(logits.float().mean(1), batch["y"])

        with quantize_aware(model, rounding):
            settings = Settings(1e-2, seed=1, compute=compute, save_every=0)
            fit(model, TrainingData(plan, collate), objective, settings, work)
        return model.state_dict()

    whole = run(tmp_path / "whole", "int4-weights")
    with pytest.raises(Stop):
        run(tmp_path / "cut", "int4-weights", stop_at=7)
    assert last_checkpoint(tmp_path / "cut") is not None
    resumed = run(tmp_path / "cut", "int4-weights")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    plain = run(tmp_path / "plain", None)
    assert not torch.equal(whole["2.weight"], plain["2.weight"])


def students(teacher: Path, folder: Path, precision: Any, hidden: float) -> tuple[Path, Path]:
    """The teacher distilled into its own shape, plainly and for a precision; steps alike."""
    made = []
    for rounding in (None, precision):
        asked = distillation(
            layers=None, hidden=hidden, multilingual=0.5, max_steps=200, max_length=48,
            max_pairs=300, max_examples=1000, batch_size=16, quantize_aware=rounding,
            settings=Settings(2e-4, seed=1, compute="fp32"),
        )  # fmt: skip
        out = folder / str(rounding)
        distill(
            teacher, [TASKS.get("panx")], EMBEDDED, asked, work=folder / f"w{rounding}", out=out
        )
        made.append(out)
    return made[0], made[1]


@pytest.mark.slow
def test_a_student_trained_for_int4_loses_less_in_it(tiny_base: Path, tmp_path: Path) -> None:
    def outliers(name: str, weight: torch.Tensor) -> None:
        """Few weights set the scales."""
        if weight.dim() == 2 and "encoder" in name:
            weight[:, ::16] *= 6

    teacher = scaled(tiny_base, tmp_path / "teacher", outliers)
    session = Session(open_model(teacher))
    probe = sample(session.tokenizer, 62, TASKS.get("panx"), EMBEDDED, 8)
    found = []
    made = students(teacher, tmp_path, "int4-weights", 1.0)
    for number, student in enumerate(made):
        export(student, tmp_path / f"bundle{number}", precision="int4-weights")
        found.append(parity.compare(session, open_model(tmp_path / f"bundle{number}"), probe))
    plain, fitted = found
    assert fitted.mean < 0.8 * plain.mean  # 0.62 and 0.63 of it with two seeds
    assert fitted.agreement > plain.agreement + 2  # 77 to 83 percent
    cards = [(student / "README.md").read_text(encoding="utf-8") for student in made]
    assert "- trained to be exported in int4-weights\n" in cards[1] and "export" not in cards[0]
    one, other = (load_checkpoint(student).state_dict() for student in made)
    assert one.keys() == other.keys()


@pytest.mark.slow
def test_a_student_trained_for_int8_survives_large_activations(
    tiny_base: Path, tmp_path: Path
) -> None:
    readers = ("query.weight", "key.weight", "value.weight", "intermediate.dense.weight")

    def outliers(name: str, weight: torch.Tensor) -> None:
        """Two large hidden dimensions take the one scale of a batch; what reads them undoes it."""
        for dimension, factor in ((3, 40), (40, 25)):
            if "output.LayerNorm" in name:
                weight[dimension] *= factor
            elif name.endswith((*readers, "classifier.weight")):
                weight[:, dimension] /= factor

    teacher = scaled(tiny_base, tmp_path / "teacher", outliers)
    session = Session(open_model(teacher))
    probe = sample(session.tokenizer, 62, TASKS.get("panx"), EMBEDDED, 8)
    found = []
    for student in students(teacher, tmp_path, "int8", 0.0):
        model = load_checkpoint(student)
        with quantize_aware(model, "int8"):  # computes what its bundle does, as shown above
            second = TorchPredictor(student, model, "int8")
            found.append(parity.compare(session, second, probe).agreement)
    assert found[1] > found[0] + 30  # 20 to 87 and 21 to 82 percent with two seeds


def test_full_training_rounds_and_an_adapter_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    tables = []
    for rounding in (None, "int8"):
        out = tmp_path / str(rounding)
        quick = options(method="full", max_steps=2, quantize_aware=rounding)
        train_tasks(
            tiny_base, [TASKS.get("xnli")], EMBEDDED, quick, work=tmp_path / f"w{rounding}", out=out
        )
        tables.append(load_checkpoint(out).state_dict())
    assert tables[0].keys() == tables[1].keys()
    assert any(not torch.equal(tables[0][name], tables[1][name]) for name in tables[0])
    base = {"model": (Artifact("checkpoint"),)}

    def config(**keys: Any) -> training.Config:
        keys = {"name": "t", "stage": "train", "model": "./m", "tasks": ["xnli"]} | keys
        return training.Config.model_validate(keys)

    assert training.check(config(method="full", quantize_aware="int8"), base).kind == "checkpoint"
    with pytest.raises(
        StageInputError, match="quantize_aware: an adapter does not change its base"
    ):
        training.check(config(quantize_aware="int8"), base)
    for method in ("soft_prompt", "deep_prompt"):
        with pytest.raises(StageInputError, match="aware: a prompt does not change its base; use"):
            training.check(config(method=method, quantize_aware="int8"), base)
    asked = distilling.Config(name="s", stage="distill", teacher="t", quantize_aware="int8")
    assert distilling.check(asked, {"teacher": (Artifact("checkpoint", "xnli"),)}).task == "xnli"
