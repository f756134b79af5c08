"""`check` knows the family of a model from outside, and of what is made of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_families import FAMILIES, tiny_checkpoint

from evalsuite.find_family import named
from recipes.errors import StageInputError
from recipes.planning.external_models import inspect
from recipes.stages import distill, export, pretrain, prune, train, trim
from recipes.stages._shared import families
from recipes.stages._shared.contract import Artifact

STAGES: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "prune": (prune, "model", {"layers": [1, 2], "tasks": ["xnli"]}),
    "distill": (distill, "teacher", {"layers": [1, 2], "tasks": ["xnli"]}),
    "trim": (trim, "model", {"languages": ["de"]}),
    "pretrain": (pretrain, "model", {"steps": 2}),
    "train": (train, "model", {"method": "lora", "tasks": ["xnli"]}),
}


def check(stage: str, model: Artifact, **changed: Any) -> Artifact:
    module, role, keys = STAGES[stage]
    config = module.Config(name="s", stage=stage, **{role: "m"}, **keys | changed)
    made: Artifact = module.check(config, {role: (model,)})
    return made


def artifact(family: str) -> Artifact:
    return Artifact("checkpoint", task="xnli", family=family)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_checkpoint_from_outside_has_its_family(name: str) -> None:
    assert inspect(tiny_checkpoint(name), "m").family == name


@pytest.mark.parametrize("stage", STAGES)
def test_an_unknown_family_is_refused_ahead(stage: str) -> None:
    with pytest.raises(StageInputError, match=r"unknown model family 'albert'.*\nknown: bert, deb"):
        check(stage, artifact("albert"))
    assert check(stage, artifact("bert")).family == "bert"


@pytest.mark.parametrize("stage", ["prune", "distill", "trim", "pretrain"])
def test_a_stage_that_needs_layers_goes_before_static(stage: str) -> None:
    said = "a static model has no layers; name the encoder that it is made from; the stage static"
    with pytest.raises(StageInputError, match=f"^{STAGES[stage][1]}: {said} goes after this one$"):
        check(stage, artifact("lingopress-static"))


@pytest.mark.parametrize("stage", ["prune", "distill"])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_first_layer_that_has_to_stay_is_asked_for_ahead(stage: str, name: str) -> None:
    if named(name).fixed_first is None:
        assert check(stage, artifact(name)).family == name
        return
    with pytest.raises(StageInputError, match=r"keep layer 0 \(models of these families can be "):
        check(stage, artifact(name))
    assert check(stage, artifact(name), layers=[0, 2]).family == name


@pytest.mark.parametrize("name", [*FAMILIES, "albert"])
def test_a_bundle_is_shortened_where_its_family_can_be(name: str) -> None:
    config = export.Config(name="b", stage="export", model="m", precision="fp32")
    made = export.check(config, {"model": (artifact(name),)})
    assert made.shortened == (name not in ("albert", "deberta-v2", "modernbert"))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_width_that_changes_fixed_dimensions_is_refused_ahead(name: str) -> None:
    shape = {"layers": 2, "width": 32, "hidden": 0}
    assert check("distill", artifact(name), **shape, heads=4).family == name
    if named(name).fixed_dimensions is None:
        assert check("distill", artifact(name), **shape).family == name
        return
    with pytest.raises(StageInputError, match=f"those of a {name} stay .* rotary.*; set heads: as"):
        check("distill", artifact(name), **shape)


def test_a_format_without_a_class_is_refused_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = replace(named("bert"), lacking=frozenset({"choice"}))
    monkeypatch.setattr(families, "family", lambda artifact: lacking)
    assert check("train", artifact("bert")).task == "xnli"
    with pytest.raises(StageInputError, match="tasks: transformers has no bert for choice tasks"):
        check("train", artifact("bert"), tasks=["xcopa"])


@pytest.mark.parametrize("name", FAMILIES)
def test_a_prompt_that_a_family_does_not_read_is_refused_ahead(name: str) -> None:
    assert check("train", artifact(name), method="soft_prompt").family == name
    if name not in ("deberta-v2", "distilbert", "modernbert"):
        assert check("train", artifact(name), method="deep_prompt").family == name
        return
    with pytest.raises(StageInputError, match=f"deep_prompt: a {name} takes no keys .*soft_prompt"):
        check("train", artifact(name), method="deep_prompt")


def test_quantized_heads_stay_in_floating_point(tmp_path: Path) -> None:
    from transformers.quantizers.quantizers_utils import should_convert_module

    from transfer.models.checkpoints import quantization

    for name in FAMILIES:
        settings = quantization("int8", {"model_type": name})
        assert settings is not None
        for head in named(name).heads:  # some families have a pooler in the encoder
            for place in (head, f"model.{head}"):
                assert not should_convert_module(f"{place}.dense", settings.llm_int8_skip_modules)
        if step := named(name).projection:  # small, and its inputs are none that NF4 takes
            assert not should_convert_module(f"model.{step}", settings.llm_int8_skip_modules)
        for path in (named(name).layer.query, named(name).layer.outward):
            layer = f"model.{named(name).stack}.10.{path}"
            assert should_convert_module(layer, settings.llm_int8_skip_modules)
