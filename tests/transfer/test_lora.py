"""LoRA's variants: what is saved gives, on the plain base and by peft alone, what was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from adapters import batch, config_of, inputs, logits, plain, resumes_exactly, trained
from peft import AutoPeftModelForTokenClassification, PeftModel
from safetensors.torch import load_file

from evalsuite.registry import TASKS
from transfer.errors import MethodError
from transfer.methods import lora
from transfer.models import checkpoints
from transfer.registry import METHODS

VARIANTS: dict[str, dict[str, Any]] = {
    "rslora": {"scaling": "rslora"},
    "dora": {"dora": True},
    "pissa": {"init": "pissa"},
    "pissa_niter": {"init": "pissa_niter_4"},
    "loftq": {"init": "loftq"},
    "pissa rslora": {"init": "pissa", "scaling": "rslora"},
    "pissa dora": {"init": "pissa", "dora": True},
    "loftq rslora dora": {"init": "loftq", "scaling": "rslora", "dora": True},
    "all-linear": {"targets": "all-linear"},
    "layers": {"adapter_layers": (2,), "targets": "all-linear", "init": "random"},
}
PRECISIONS = ("fp32", "bf16", "int8", "nf4")


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", VARIANTS)
def test_a_saved_variant_is_on_the_plain_base_what_was_trained(
    tiny_base: Path, tmp_path: Path, name: str, precision: Any
) -> None:
    variant, task = VARIANTS[name], TASKS.get("udpos")
    try:
        lora.check("tagging", precision, **variant)
    except MethodError as error:
        refused = {"pissa": precision != "fp32", "loftq": precision != "nf4"}
        refused["dora"] = precision == "int8"
        assert refused[name.split(" ")[0].split("_")[0]], error
        return
    model = trained(tiny_base, task, "lora", tmp_path, precision, rank=4, dropout=0.0, **variant)
    rows = batch(task, tiny_base)
    said = logits(model, rows)
    with model.disable_adapter(), torch.inference_mode():
        untrained = model(**inputs(rows)).logits
    assert (said - untrained).abs().max() > 0.1
    again = logits(plain(tiny_base, task, tmp_path, precision), rows)
    assert torch.allclose(said, again, atol=2e-5 if precision != "bf16" else 0)
    assert config_of(tmp_path)["init_lora_weights"] is True
    if precision == "nf4":  # the weights it was trained against, which it is fused into
        base, _ = checkpoints.load(tiny_base, task, "nf4")
        fused = PeftModel.from_pretrained(base.dequantize().float(), tmp_path).eval()
        assert (logits(fused, rows) - said).abs().max() < 0.02 * said.abs().max()
        live = logits(fused, rows)
        assert torch.allclose(logits(fused.merge_and_unload(), rows), live, atol=2e-3)


def test_what_is_refused_says_why_and_what_to_do() -> None:
    for precision in ("bf16", "int8", "nf4"):
        with pytest.raises(MethodError, match=r"rounds what is left .* precision: fp32"):
            lora.check("pair", precision, init="pissa")
    with pytest.raises(MethodError, match=r"needs precision: nf4 \(not int8\)"):
        lora.check("pair", "int8", init="loftq")
    with pytest.raises(MethodError, match="int8 layers on a CPU; use precision: nf4"):
        lora.check("pair", "int8", dora=True)
    with pytest.raises(MethodError, match="allowed are random, pissa"):
        lora.check("pair", "fp32", init="pizza")


@pytest.mark.parametrize(
    "changes", [{"targets": ["q_proj"]}, {"adapter_layers": [3]}, {"rank": 65}]
)
def test_what_a_model_has_not_is_refused(tiny_base: Path, changes: dict[str, Any]) -> None:
    model, _ = checkpoints.load(tiny_base, TASKS.get("xnli"))
    said = {
        "targets": "no linear layer is called 'q_proj'; use one of dense, key, query, value",
        "adapter_layers": "adapter_layers: 3, but the model has layers 1 to 2",
        "rank": "rank: 65 is more than the model's width, 64",
    }
    with pytest.raises(MethodError, match=said[next(iter(changes))]):
        METHODS.get("lora").prepare(model, "pair", "fp32", init="pissa", **changes)


def test_pissa_begins_as_the_base_and_loftq_nearer_to_the_weights_than_nf4(tiny_base: Path) -> None:
    task = TASKS.get("xnli")
    rows = batch(task, tiny_base)

    def hidden(precision: Any, **variant: Any) -> torch.Tensor:
        model, _ = checkpoints.load(tiny_base, task, precision)
        if variant:
            model = METHODS.get("lora").prepare(model, "pair", precision, **variant)
        with torch.inference_mode():
            found: torch.Tensor = model.eval().base_model(**inputs(rows), output_hidden_states=True)
        return torch.stack(found.hidden_states[1:])[:, rows["attention_mask"].bool()]

    plain_base, rounded = hidden("fp32"), hidden("nf4")
    for dora in (False, True):
        pissa = hidden("fp32", init="pissa", rank=8, dora=dora)
        assert torch.allclose(pissa, plain_base, atol=1e-4)
        corrected = hidden("nf4", init="loftq", rank=32, alpha=64, dora=dora, targets="all-linear")
        assert (corrected - plain_base).norm() < 0.7 * (rounded - plain_base).norm()


def test_layers_that_are_not_chosen_get_no_adapter(tiny_base: Path, tmp_path: Path) -> None:
    model, _ = checkpoints.load(tiny_base, None)
    chosen = METHODS.get("lora").prepare(
        model, None, "fp32", adapter_layers=(1,), targets="all-linear"
    )
    METHODS.get("lora").save(chosen, tmp_path)
    names = {name.split(".lora_")[0] for name in load_file(tmp_path / "adapter_model.safetensors")}
    assert len(names) == 6 and all(".layer.0." in name for name in names)


@pytest.mark.parametrize("name", ["xnli", "udpos", "xquad", "xcopa"])
@pytest.mark.parametrize("variant", [{"targets": "all-linear"}, {"init": "pissa"}])
def test_adapters_carry_their_heads(
    tiny_base: Path, tmp_path: Path, name: str, variant: dict[str, Any]
) -> None:
    task = TASKS.get(name)
    model = trained(tiny_base, task, "lora", tmp_path, "fp32", rank=4, dropout=0.0, **variant)
    rows = batch(task, tiny_base)
    assert torch.allclose(
        logits(model, rows), logits(plain(tiny_base, task, tmp_path, "fp32"), rows), atol=2e-5
    )
    saved = load_file(tmp_path / "adapter_model.safetensors")
    heads = {"classifier", "qa_outputs", "pooler"}
    for parameter in saved:  # a head is saved whole, never by an update of low rank
        assert not ("lora_" in parameter and heads & set(parameter.split(".")))
    assert any(heads & set(parameter.split(".")) for parameter in saved)


def test_peft_opens_an_adapter_with_its_base_by_itself(tiny_base: Path, tmp_path: Path) -> None:
    task = TASKS.get("udpos")
    model = trained(tiny_base, task, "lora", tmp_path, "fp32", rank=4, dora=True)
    alone = AutoPeftModelForTokenClassification.from_pretrained(
        tmp_path, num_labels=len(task.labels)
    ).eval()
    rows = batch(task, tiny_base)
    assert torch.allclose(logits(model, rows), logits(alone, rows), atol=1e-6)


@pytest.mark.parametrize("variant", [{"init": "pissa"}, {"dora": True}])
def test_a_killed_training_ends_as_an_undisturbed_one(
    tiny_base: Path, tmp_path: Path, variant: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    resumes_exactly(tiny_base, tmp_path, monkeypatch, "lora", rank=4, **variant)
