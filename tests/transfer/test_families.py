"""Every family's models through the training methods."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from tiny_families import FAMILIES, MODELS, tiny_checkpoint, tiny_config, tiny_inputs, tiny_model
from transformers import AutoModelForMaskedLM

from evalsuite.find_family import family_of
from evalsuite.opening.adapter import attach
from evalsuite.runtimes.torch import auto_class, logits_of
from transfer.errors import MethodError
from transfer.methods import bitfit, last_k, lora
from transfer.methods._sequential import Updates
from transfer.models.head_alone import HeadAlone, has_masked_lm_head, open_masked_lm, task_head
from transfer.models.heads import Joined, lm_head, save_with_lm_head
from transfer.objectives import mlm
from transfer.registry import METHODS

LABELS = {"pair": torch.tensor([0, 2, 1]), "tagging": torch.arange(27).view(3, 9) % 2}
ENDS = {"start_positions": torch.tensor([1, 2, 3]), "end_positions": torch.tensor([2, 3, 4])}


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model.eval()(**tiny_inputs()).logits
    return found


@pytest.mark.parametrize("head", ["pair", "tagging"])
@pytest.mark.parametrize("name", FAMILIES)
def test_lora_trains_and_fuses_on_the_plain_encoder(name: str, head: str, tmp_path: Path) -> None:
    """The head is saved whole: it is new on the encoder that the adapter is put on."""
    base = tiny_checkpoint(name, None)
    labels = {"num_labels": 3 if head == "pair" else 2}
    torch.manual_seed(1)
    model = auto_class(head).from_pretrained(base, **labels)
    before = logits(model)
    model = lora.prepare(model.eval(), head, "fp32", rank=2, dropout=0.0)
    family = family_of(model)
    updated = {
        name.split(".lora_A")[0] for name, _ in model.named_parameters() if ".lora_A" in name
    }
    per_layer = 1 if family.layer.query == family.layer.key else 2
    assert len(updated) == 3 * per_layer
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 0.01)
    losses = []
    for _ in range(5):
        loss = model(**tiny_inputs(), labels=LABELS[head]).loss
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
        optimizer.zero_grad()
    assert losses[-1] < losses[0]
    trained = logits(model)
    assert (trained - before).abs().max() > 0.05
    lora.save(model, tmp_path)
    assert len(Updates.read(tmp_path).factors) == len(updated)  # `sequential` goes on from them
    torch.manual_seed(2)
    again = auto_class(head).from_pretrained(base, **labels)
    fused = PeftModel.from_pretrained(again, tmp_path).merge_and_unload()
    torch.testing.assert_close(logits(fused), trained, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("head", ["pair", "tagging", "span"])
@pytest.mark.parametrize("method", ["soft_prompt", "deep_prompt"])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_prompt_is_saved_with_its_whole_head(
    name: str, method: str, head: str, tmp_path: Path
) -> None:
    """The encoder has no part of it: one of masked LM has no pooler."""
    chosen: Any = METHODS.get(method)
    if method == "deep_prompt" and name in ("deberta-v2", "distilbert", "modernbert"):
        with pytest.raises(MethodError, match=f"a {name} takes no keys and values .*soft_prompt"):
            chosen.prepare(tiny_model(name, head), head, "fp32", length=4)
        return
    base = tmp_path / "base"
    AutoModelForMaskedLM.from_config(tiny_config(name)).base_model.save_pretrained(base)
    torch.manual_seed(1)
    model = chosen.prepare(auto_class(head).from_pretrained(base), head, "fp32", length=4)
    gold = ENDS if head == "span" else {"labels": LABELS[head] % 2}
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 0.01)
    for _ in range(3):
        model.train()(**tiny_inputs(), **gold).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    chosen.save(model, tmp_path / "prompt")
    torch.manual_seed(2)
    again = attach(auto_class(head).from_pretrained(base), tmp_path / "prompt").eval()
    with torch.inference_mode():
        said, found = (logits_of(one.eval()(**tiny_inputs())) for one in (model, again))
    wanted = said if head == "pair" else said[:, -9:]  # peft answers for virtual tokens too
    assert wanted.std() > 0
    torch.testing.assert_close(found if head == "pair" else found[:, -9:], wanted)


@pytest.mark.parametrize("name", FAMILIES)
def test_lora_takes_all_linear_layers_and_some_layers(name: str) -> None:
    model = tiny_model(name)
    matrices = [p for p in family_of(model).layers(model)[1].parameters() if p.dim() == 2]
    wrapped = lora.prepare(model, "pair", "fp32", rank=2, targets="all-linear", adapter_layers=(2,))
    updated = [name for name, _ in wrapped.named_parameters() if ".lora_A" in name]
    assert len(updated) == len(matrices)
    assert all(f"{family_of(model).stack}.1." in name for name in updated)
    with pytest.raises(MethodError, match="no linear layer is called 'nothing'; use one of "):
        lora.prepare(tiny_model(name), "pair", "fp32", targets=("nothing",))


@pytest.mark.parametrize("name", FAMILIES)
def test_the_top_layer_and_the_head_are_trained(name: str) -> None:
    model = tiny_model(name)
    family = family_of(model)
    last_k.prepare(model, "pair", "fp32", last=1)
    frozen = {id(p) for p in model.parameters() if not p.requires_grad}
    below = [family.word_embeddings(model), *family.layers(model)[:-1]]
    assert all(id(p) in frozen for module in below for p in module.parameters())
    assert all(p.requires_grad for p in family.layers(model)[-1].parameters())
    heads = [getattr(model, head) for head in family.heads if hasattr(model, head)]
    assert heads and all(p.requires_grad for module in heads for p in module.parameters())


@pytest.mark.parametrize(("name", "changed"), MODELS, ids=str)
def test_bitfit_trains_biases_or_says_that_there_are_none(
    name: str, changed: dict[str, Any]
) -> None:
    """Of an encoder, and with a head."""
    bare = tiny_model(name, None, **changed)
    found = {key for key, _ in bare.named_parameters() if key.endswith(".bias")}
    assert family_of(bare).has_biases(bare.config) == bool(found)
    for head in (None, "pair"):
        model = tiny_model(name, head, **changed)
        if not found:
            with pytest.raises(MethodError, match=r"modernbert model has none; use method: last_k"):
                bitfit.prepare(model, head, "fp32")
            continue
        bitfit.prepare(model, head, "fp32")
        trained = {key for key, value in model.base_model.named_parameters() if value.requires_grad}
        assert {key for key in found if "pooler" not in key} <= trained


@pytest.mark.parametrize("head", ["pair", "tagging", "span", "choice"])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_head_alone_gives_the_models_logits(name: str, head: str) -> None:
    model, inputs = tiny_model(name, head), tiny_inputs()
    shaped = (
        {key: tensor[:, None] for key, tensor in inputs.items()} if head == "choice" else inputs
    )
    alone = HeadAlone(model)
    assert 0 < len(list(alone.parameters())) < 9
    with torch.no_grad():
        wanted = logits_of(model(**shaped))
        states = model.base_model(**inputs).last_hidden_state
        torch.testing.assert_close(alone(states, *shaped.values()), wanted)
        new = task_head(model.config, head, wanted.shape[-1]).eval()
        assert new(states, *shaped.values()).shape == wanted.shape
    own = {key: tuple(value.shape) for key, value in alone.named_parameters()}
    assert own == {key: tuple(value.shape) for key, value in new.named_parameters()}
    # A head on its own is trained: each of its parameters gets a gradient.
    new(states, *shaped.values()).sum().backward()
    assert all(value.grad is not None for value in new.parameters())


LMS = [*((name, {}) for name in FAMILIES), ("deberta-v2", {"legacy": False})]


@pytest.mark.parametrize(("name", "changed"), LMS, ids=str)
def test_masked_lm_next_to_a_task_is_the_familys_own(
    name: str, changed: dict[str, Any], tmp_path: Path
) -> None:
    """The loss is that of transformers' class, and what is saved is such a model."""
    torch.manual_seed(0)
    whole = AutoModelForMaskedLM.from_config(tiny_config(name, **changed)).eval()
    for parameter in whole.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    whole.save_pretrained(tmp_path / "whole")
    head, kept = lm_head(whole.base_model, tmp_path / "whole")
    assert kept and has_masked_lm_head(tmp_path / "whole")
    labels = torch.full((3, 9), -100)
    labels[:, 2:4] = 7
    batch = tiny_inputs() | {"labels": labels}
    with torch.no_grad():
        wanted = whole(**batch).loss
        joined = Joined(whole.base_model, (), head)
        torch.testing.assert_close(joined.masked_lm(batch), wanted)
        torch.testing.assert_close(mlm.loss(whole, batch), wanted)
    save_with_lm_head(whole.base_model, head, tmp_path / "saved")
    again, told = AutoModelForMaskedLM.from_pretrained(tmp_path / "saved", output_loading_info=True)
    assert not any(told.values())
    torch.testing.assert_close(again(**batch).loss, wanted)


def test_the_head_of_published_debertas_is_read(tmp_path: Path) -> None:
    """Their config has no entry `legacy`, and they have a head for replaced tokens too."""
    torch.manual_seed(0)
    whole = AutoModelForMaskedLM.from_config(tiny_config("deberta-v2", legacy=False)).eval()
    for parameter in whole.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    whole.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    del config["legacy"], config["architectures"]
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    weights = load_file(tmp_path / "model.safetensors")
    weights["mask_predictions.dense.weight"] = torch.zeros(32, 32)
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    batch = tiny_inputs()
    with torch.no_grad():
        wanted = whole(**batch).logits
        opened = open_masked_lm(tmp_path).eval()
        torch.testing.assert_close(opened(**batch).logits, wanted)
    head, kept = lm_head(whole.base_model, tmp_path)
    assert kept
    save_with_lm_head(whole.base_model, head, tmp_path / "saved")
    for folder in (tmp_path, tmp_path / "saved"):
        with torch.no_grad():
            again = open_masked_lm(folder).eval()(**batch).logits
        torch.testing.assert_close(again, wanted)


@pytest.mark.parametrize("name", FAMILIES)
def test_an_encoder_gets_a_new_masked_lm_head_tied_to_its_embeddings(name: str) -> None:
    folder = tiny_checkpoint(name, None)
    encoder = tiny_model(name, None)
    head, kept = lm_head(encoder, folder)
    assert not kept and not has_masked_lm_head(folder)
    own = dict(head.named_parameters())
    table = encoder.get_input_embeddings().weight
    assert any(parameter is table for parameter in own.values())
    assert all(p.std() > 0.1 for p in own.values() if p.dim() == 2)
    assert not any(p.is_meta for p in own.values())
