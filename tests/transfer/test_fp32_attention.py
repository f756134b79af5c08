"""Attention in fp32 inside a bf16 training on a processor."""

from __future__ import annotations

import pytest
import torch
from tiny_families import FAMILIES, tiny_inputs, tiny_model

from transfer.precision import fp32_attention as module
from transfer.precision.fp32_attention import fp32_attention


def _states(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        states: torch.Tensor = model.base_model(**tiny_inputs()).last_hidden_state
        return states.float()


@pytest.mark.parametrize("family", FAMILIES)
def test_states_are_those_of_bf16_attention(family: str) -> None:
    model = tiny_model(family)
    before, kind = _states(model), model.config._attn_implementation
    with fp32_attention(model, "bf16"):
        within = _states(model)
    assert torch.allclose(before, within, atol=0.08)
    assert model.config._attn_implementation == kind
    assert torch.equal(before, _states(model))


def test_attention_itself_has_fp32_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    own = module.sdpa_attention_forward

    def noted(
        layer: torch.nn.Module, query: torch.Tensor, *rest: object, **options: object
    ) -> object:
        seen.append(query.dtype)
        return own(layer, query, *rest, **options)

    monkeypatch.setattr(module, "sdpa_attention_forward", noted)
    model = tiny_model("xlm-roberta")
    with fp32_attention(model, "fp32"):
        _states(model)
    assert not seen
    with fp32_attention(model, "bf16"):
        _states(model)
    assert seen and set(seen) == {torch.float32}
