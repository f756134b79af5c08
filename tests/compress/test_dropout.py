"""Dropout of a student while it learns, in every family."""

from __future__ import annotations

import pytest
import torch
from tiny_families import FAMILIES, tiny_inputs, tiny_model

from compress.distill.dropout import dropout


def _twice(model: torch.nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.no_grad():
        first, second = (model.base_model(**tiny_inputs()).last_hidden_state for _ in range(2))
    return first, second


@pytest.mark.parametrize("family", FAMILIES)
def test_no_family_draws_anything_without_dropout(family: str) -> None:
    model = tiny_model(family).train()
    with dropout(model, 0.9):
        assert not torch.equal(*_twice(model))
    with dropout(model, 0.0):
        once, again = _twice(model)
    assert torch.equal(once, again)
    assert torch.allclose(once, _twice(model.eval())[0], atol=1e-6)


def test_the_rate_is_as_before_afterwards() -> None:
    model = tiny_model("xlm-roberta").train()
    rates = [m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)]
    with pytest.raises(RuntimeError), dropout(model, 0.0):
        raise RuntimeError
    assert [m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)] == rates
    with dropout(model, None):
        assert [m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)] == rates
