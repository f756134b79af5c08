"""Layers left out one after the other: which ones, in every family, and through `distill`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from quick import distillation
from tiny_families import FAMILIES, tiny_inputs, tiny_model

from compress.distill.distill import distill
from compress.distill.greedy_layers import greedy_layers
from compress.distill.initial_student import start
from compress.distill.student import cut
from compress.errors import StudentError
from evalsuite.find_family import family_of
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact
from recipes.stages.distill import Config, check
from transfer.objectives.sentences import pool

CHECKPOINT = Artifact("checkpoint", external=True)


def change(model: Any, kept: Sequence[int]) -> float:
    """How far a cut model's last states lie from the whole model's, by definition."""
    text = tiny_inputs()
    mask = text["attention_mask"].bool()
    with torch.no_grad():
        whole, found = (
            m.base_model(**text).last_hidden_state for m in (model, cut(model, kept).eval())
        )
    total = 0.0
    for kind in (lambda h: pool(h, text["attention_mask"]), lambda h: h[mask]):
        right, own = kind(whole), kind(found)
        error = (own - right).square().sum() / len(right)
        total += float(error / (right - right.mean(0)).square().sum(-1).mean())
    return total


@pytest.mark.parametrize("name", FAMILIES)
def test_the_layer_that_changes_least_goes_first(name: str) -> None:
    model = tiny_model(name, num_hidden_layers=4) if name != "distilbert" else tiny_model(name)
    first = family_of(model).first_layer_reason(model.config) is not None
    before = {key: value.clone() for key, value in model.state_dict().items()}
    left = list(range(len(family_of(model).layers(model))))
    while len(left) > 1:
        ways = [[n for n in left if n != out] for out in left if out or not first]
        left = min(ways, key=lambda kept: change(model, kept))
        found = greedy_layers(model, len(left), [tiny_inputs()], keep_first=first)
        assert found == left
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_a_layer_that_does_nothing_goes_before_all_others() -> None:
    model = tiny_model("xlm-roberta-xl", num_hidden_layers=4)  # a pre-norm model, so it passes on
    for layer in (model.roberta.encoder.layer[1], model.roberta.encoder.layer[3]):
        for part in (layer.attention.output.dense, layer.output.dense):
            torch.nn.init.zeros_(part.weight)
            torch.nn.init.zeros_(part.bias)
    model.train()
    assert greedy_layers(model, 2, [tiny_inputs(), tiny_inputs()]) == [0, 2]
    assert greedy_layers(model, 4, []) == [0, 1, 2, 3] and model.training
    with pytest.raises(StudentError, match="needs text to compare layers on"):
        greedy_layers(model, 2, [])


def test_a_student_starts_from_the_chosen_layers(tiny_base: Path, tmp_path: Path) -> None:
    asked = distillation(
        layers=1, layer_choice="greedy", logits=0.0, hidden=1.0, max_pairs=8, max_steps=1
    )
    source = DataSource("embedded")
    _, facts = distill(tiny_base, [], source, asked, work=tmp_path / "work", out=tmp_path / "out")
    assert read_config(tmp_path / "out")["num_hidden_layers"] == 1
    assert facts["layers kept"] in ("0", "1")
    assert f"the teacher's layers {facts['layers kept']}" in (
        tmp_path / "out" / "README.md"
    ).read_text(encoding="utf-8")


def test_the_top_layer_is_matched_to_the_teachers_top_layer() -> None:
    teacher = tiny_model("xlm-roberta-xl", num_hidden_layers=4)
    for layer in teacher.roberta.encoder.layer[2:]:  # which do nothing, so they are removed
        for part in (layer.attention.output.dense, layer.output.dense):
            torch.nn.init.zeros_(part.weight)
            torch.nn.init.zeros_(part.bias)
    asked = distillation(layers=2, layer_choice="greedy", hidden=1.0)
    begun = start(teacher, Path("teacher"), asked, [tiny_inputs()])
    assert (begun.kept, begun.matched) == ([0, 1], [0, 3])


def test_the_layers_that_a_student_learns_can_be_given(tmp_path: Path) -> None:
    # a checkpoint of fewer layers does not say which of the teacher's it was made from
    teacher = tiny_model("xlm-roberta-xl", num_hidden_layers=4)
    tiny_model("xlm-roberta-xl", num_hidden_layers=2).base_model.save_pretrained(tmp_path)
    asked = distillation(layers=None, logits=0.0, hidden=1.0, student=tmp_path)
    assert start(teacher, Path("teacher"), asked, []).matched == [1, 3]
    given = replace(asked, teacher_layers=(0, 3))
    assert start(teacher, Path("teacher"), given, []).matched == [0, 3]
    for wrong, said in [
        ((3,), "1 layers, and the student has 2"),
        ((0, 4), "has the layers 0 to 3"),
    ]:
        with pytest.raises(StudentError, match=said):
            start(teacher, Path("teacher"), replace(asked, teacher_layers=wrong), [])


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"teacher_layers": [3, 1]}, "rising layer numbers"),
        ({"teacher_layers": [1, 3], "hidden": 0}, "is for hidden states"),
    ],
)
def test_layers_to_learn_are_checked_before_the_run(keys: dict[str, Any], said: str) -> None:
    config = Config.model_validate({"name": "s", "stage": "distill", "teacher": "a", **keys})
    with pytest.raises(StageInputError, match=said):
        check(config, {"teacher": [CHECKPOINT]})


@pytest.mark.parametrize("layers", [{}, {"layers": [0, 1]}])
def test_greedy_chooses_a_number_of_layers(layers: dict[str, Any]) -> None:
    config = Config.model_validate(
        {"name": "s", "stage": "distill", "teacher": "a", "layer_choice": "greedy", **layers}
    )
    with pytest.raises(StageInputError, match="layer_choice: greedy chooses a number of layers"):
        check(config, {"teacher": [CHECKPOINT]})
