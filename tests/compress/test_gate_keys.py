"""Limits on what a stage may lose: refused at once where they cannot be measured."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from pydantic import ValidationError

from recipes.errors import StageInputError
from recipes.stages import distill, export, prune, trim
from recipes.stages._shared.contract import Artifact, HeadFacts

KEYS: dict[ModuleType, dict[str, Any]] = {
    trim: {"languages": ("de",)},
    prune: {"tasks": ("qqp",), "layers": 2},
    distill: {"tasks": ("qqp",), "layers": 2},
    export: {},
}
STAGES = pytest.mark.parametrize("stage", KEYS, ids=lambda stage: stage.__name__.split(".")[-1])


def config(stage: ModuleType, **changes: Any) -> Any:
    keys = {"name": "s", "stage": "s", _role(stage): "m", **KEYS[stage], **changes}
    return stage.Config.model_validate(keys)


def check(stage: ModuleType, model: Artifact, **changes: Any) -> Artifact:
    found: Artifact = stage.check(config(stage, **changes), {_role(stage): [model]})
    return found


def _role(stage: ModuleType) -> str:
    return "teacher" if stage is distill else "model"


@STAGES
def test_a_score_is_measured_on_a_task_with_the_labels_of_the_head(stage: ModuleType) -> None:
    model = Artifact("checkpoint", task="qqp")
    for limit in ("max_lost", "max_lost_per_language"):
        with pytest.raises(StageInputError) as raised:
            check(stage, model, **{limit: 1})
        assert str(raised.value) == (
            "probe_task: max_lost would be measured on xnli, whose labels are not those of qqp, "
            "which the model was trained on; set probe_task: qqp"
        )
    for right in ("qqp", "pawsx"):
        assert check(stage, model, max_lost=1, probe_task=right).task == "qqp"
    assert check(stage, model).task == "qqp"  # no score is measured


@STAGES
def test_a_score_of_a_head_from_outside_is_measured_on_its_labels(stage: ModuleType) -> None:
    keys = {"tasks": ("xnli",)} if "tasks" in KEYS[stage] else {}
    labels = ("neutral", "entailment", "contradiction")
    model = Artifact("checkpoint", external=True, head=HeadFacts("pair", labels, "label", 3))
    assert check(stage, model, max_lost=1, probe_task="xnli", **keys).external
    with pytest.raises(StageInputError, match="probe_task: the model predicts neutral, entail"):
        check(stage, model, max_lost=1, probe_task="pawsx", **keys)


@pytest.mark.parametrize("stage", [trim, export])
def test_an_encoder_is_scored_by_its_vectors(stage: ModuleType) -> None:
    assert check(stage, Artifact("checkpoint"), max_lost=1).task is None
    said = "probe_task: xnli needs a task head, .*; set probe_task: tatoeba"
    with pytest.raises(StageInputError, match=said):
        check(stage, Artifact("checkpoint"), max_lost=1, probe_task="xnli")


@STAGES
def test_a_limit_without_a_comparison_is_refused(stage: ModuleType) -> None:
    for key in ("min_agreement", "min_agreement_per_language"):
        with pytest.raises(ValidationError, match=f"{key}: with probe: 0 nothing is compared; set"):
            config(stage, probe=0, **{key: 99})
    with pytest.raises(ValidationError, match="or leave min_agreement and min_agreement_per_"):
        config(stage, probe=0, min_agreement=99, min_agreement_per_language=99)
    config(stage, probe=0)  # the default of min_agreement limits nothing then
    config(stage, probe=0, min_agreement=0, min_agreement_per_language=0)
    config(stage, probe=1, min_agreement=99)
