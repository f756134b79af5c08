"""Dropout of a student while it learns, in every family."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from quick import distillation
from tiny_families import FAMILIES, tiny_inputs, tiny_model

from compress.distill.distill import distill
from compress.distill.dropout import dropout
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.task import DataSource


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


def test_a_student_learns_without_noise(tiny_base: Path, tmp_path: Path) -> None:
    losses = {}
    for rate in (None, 0.0, 0.6):
        asked = replace(
            distillation(layers=None, logits=0.0, hidden=1.0, max_pairs=8, max_steps=1),
            dropout=rate,
        )
        place = tmp_path / str(rate)
        fitted, _ = distill(
            tiny_base, [], DataSource("embedded"), asked, work=place / "work", out=place / "out"
        )
        losses[rate] = fitted.first_loss
    # A student that is its teacher makes no mistake without dropout.
    assert losses[0.0] < 1e-6 < losses[None] < losses[0.6]
    assert read_config(tmp_path / "0.0" / "out") == read_config(tmp_path / "0.6" / "out")


def test_a_rate_that_is_written_as_a_whole_number_is_one_too() -> None:
    keys = ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout")
    model = tiny_model("xlm-roberta", **dict.fromkeys(keys, 0)).train()
    drawing = [m for m in model.modules() if isinstance(m, torch.nn.Dropout)]
    with dropout(model, 0.3):
        assert {m.p for m in drawing} == {0.3}
        assert not torch.equal(*_twice(model))
    assert {m.p for m in drawing} == {0}
