"""Every family's models through the training methods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from tiny_families import FAMILIES, tiny_checkpoint, tiny_inputs, tiny_model

from evalsuite.find_family import family_of
from evalsuite.runtimes.torch import auto_class
from transfer.errors import MethodError
from transfer.methods import last_k, lora

LABELS = {"pair": torch.tensor([0, 2, 1]), "tagging": torch.arange(27).view(3, 9) % 2}


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
    torch.manual_seed(2)
    again = auto_class(head).from_pretrained(base, **labels)
    fused = PeftModel.from_pretrained(again, tmp_path).merge_and_unload()
    torch.testing.assert_close(logits(fused), trained, atol=1e-4, rtol=1e-4)


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
