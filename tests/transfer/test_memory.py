"""What is said ahead of a training's memory is what the training holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny_families import SHAPES, tiny_model

from evalsuite.machine.model_shape import ModelShape
from evalsuite.runtimes.torch import auto_class
from transfer.memory.activations import Pass, kept
from transfer.memory.held_weights import held
from transfer.memory.training import Training, needed, trained
from transfer.registry import METHODS

ROWS, LENGTH = 4, 64
METHOD_OPTIONS: dict[str, dict[str, Any]] = {
    "full": {},
    "lora": {"rank": 4},
    "bitfit": {},
    "last_k": {"last": 1},
    "soft_prompt": {"length": 4},
    "deep_prompt": {"length": 4},
}
FAMILIES = ["xlm-roberta", "xlm-roberta-xl", "distilbert", "modernbert", "deberta-v2", "electra"]


def model_of(name: str) -> Any:
    """Wide enough that what a layer keeps is not lost among small tensors."""
    from transformers import AutoConfig

    shape = {"num_hidden_layers": 3, "hidden_size": 64, "num_attention_heads": 4}
    if name == "distilbert":
        shape = {"n_layers": 3, "dim": 64, "n_heads": 4, "hidden_dim": 256}
    else:
        shape = shape | {"intermediate_size": 256} | SHAPES[name]
    torch.manual_seed(0)
    config = AutoConfig.for_model(name, vocab_size=60, max_position_embeddings=80, **shape)
    return auto_class("pair").from_config(config).train()


def saved_bytes(model: Any) -> int:
    """Of the tensors that a forward pass keeps for the backward pass, parameters apart."""
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    seen: dict[int, torch.Tensor] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in own:
            seen[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    ids = torch.randint(5, 60, (ROWS, LENGTH))
    mask = torch.ones_like(ids)
    mask[0, LENGTH // 2 :] = 0
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model(input_ids=ids, attention_mask=mask)
    return sum(tensor.untyped_storage().nbytes() for tensor in seen.values())


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("name", FAMILIES)
def test_activations_are_those_that_torch_keeps(name: str, method: str) -> None:
    model = model_of(name)
    shape = ModelShape.of(model.config, "pair")
    updated = 0
    if method == "lora":
        model = METHODS.get("lora").prepare(model, "pair", "fp32", rank=4).train()
        updated = METHODS.get("lora").updated(shape)
    run = Pass(ROWS, LENGTH, trained=method == "full", updated=updated)
    assert kept(shape, run) == pytest.approx(saved_bytes(model), rel=0.15)


@pytest.mark.parametrize("name", FAMILIES)
def test_layers_below_the_trained_ones_keep_nothing(name: str) -> None:
    model = METHODS.get("last_k").prepare(model_of(name), "pair", "fp32", last=1).train()
    shape = ModelShape.of(model.config, "pair")
    training = Training(method="last_k", options={"last": 1}, batch=ROWS, length=LENGTH)
    assert needed(shape, training).parts["activations"] == pytest.approx(
        saved_bytes(model), rel=0.3
    )
    two = needed(shape, replace(training, graphs=2)).parts["activations"]
    assert two == 2 * needed(shape, training).parts["activations"]


@pytest.mark.parametrize("method", METHOD_OPTIONS)
def test_trained_parameters_are_those_that_the_method_trains(method: str) -> None:
    options = METHOD_OPTIONS[method]
    model = METHODS.get(method).prepare(tiny_model("xlm-roberta"), "pair", "fp32", **options)
    found = sum(p.numel() for p in model.parameters() if p.requires_grad)
    shape = ModelShape.of(model.config, "pair", 3)
    said = trained(shape, Training(method=method, options=options))
    assert said == pytest.approx(found, rel=0.1)  # tiny heads have as many biases


def test_weights_are_held_as_they_are_said_to_be() -> None:
    model = model_of("xlm-roberta")
    shape = ModelShape.of(model.config, "pair")
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        model = model.to(dtype)
        found = sum(p.nbytes for p in model.parameters())
        assert held(shape, precision) == pytest.approx(found, rel=0.01)  # type: ignore[arg-type]
    small = held(shape, "nf4", "int8")
    assert small == held(shape, "nf4") - 3 * shape.words
    assert held(shape) - held(shape, "int8") == 3 * shape.linear


def test_what_each_key_changes() -> None:
    shape = ModelShape.of(model_of("xlm-roberta").config, "pair")
    full = needed(shape, Training(batch=32, length=64, accumulates=True)).parts
    assert full["gradients"] == 4 * shape.parameters and full["optimizer"] == 8 * shape.parameters
    again = needed(shape, Training(batch=32, length=64, accumulates=True, checkpointing=True)).parts
    assert again["activations"] < 0.5 * full["activations"]
    half = needed(shape, Training(batch=16, length=64, accumulates=True)).parts
    assert half["activations"] == pytest.approx(full["activations"] / 2, rel=0.01)
    frozen = needed(shape, Training(batch=32, length=64, frozen_words=True)).parts
    assert full["optimizer"] - frozen["optimizer"] == 8 * shape.words
    masked = needed(shape, Training(batch=32, length=64, accumulates=True, masked=0.15)).parts
    assert masked["activations"] > full["activations"]
    lora = needed(shape, Training(method="lora", precision="nf4", batch=32, length=64)).parts
    assert lora["weights"] < full["weights"] and lora["optimizer"] < full["optimizer"] / 5
    # a step that is not accumulated lets activations go while gradients come
    once = needed(shape, Training(batch=32, length=64))
    all_of_it = needed(shape, Training(batch=32, length=64, accumulates=True))
    assert once.parts == all_of_it.parts
    assert all_of_it.total - once.total == full["gradients"] < full["activations"]
