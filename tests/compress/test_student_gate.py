"""A student and its teacher are compared, with heads or without, and limits hold."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from compress.errors import GateError
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact, HeadFacts, Input, StageContext
from recipes.stages._shared.student_gate import compare_student
from recipes.stages.distill import Config, check, data

ENCODER = Artifact("checkpoint")
LIMITS: list[dict[str, Any]] = [
    {"max_lost": 0},
    {"max_lost_per_language": 0},
    {"min_agreement": 99.9},
    {"min_agreement_per_language": 99.9},
]


def config(**changes: Any) -> Config:
    keys = {"logits": 0, "sentences": 1, "score_rows": 20, "probe": 4} | changes
    return Config.model_validate({"name": "s", "stage": "distill", "teacher": "t", **keys})


def context(teacher: Path, student: Path, folder: Path) -> StageContext:
    return StageContext(
        out=student, work=folder, inputs={"teacher": (Input("t", teacher, ENCODER),)},
        data=DataSource("embedded"), seed=1, recipe="r",
    )  # fmt: skip


@pytest.fixture
def damaged(tiny_base: Path, tmp_path: Path) -> Path:
    """The encoder with random weights of one layer: half as deep, and as wide."""
    out = tmp_path / "damaged"
    shutil.copytree(tiny_base, out)
    model = load_checkpoint(out)
    del model.encoder.layer[1]
    model.config.num_hidden_layers = 1
    torch.manual_seed(0)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=3)
    model.save_pretrained(out)
    return out


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: next(iter(limit)))
@pytest.mark.parametrize("named", [{"probe_task": "tatoeba"}, {}], ids=["named", "default"])
def test_an_encoder_is_held_to_its_limits(
    limit: dict[str, Any], named: dict[str, str], tiny_base: Path, damaged: Path, tmp_path: Path
) -> None:
    asked = config(**limit, **named)
    gives = check(asked, {"teacher": [ENCODER]})
    assert ("tatoeba", "eval") in [(need.task, need.split) for need in data(asked, gives)]
    with pytest.raises(GateError, match=next(iter(limit))):
        compare_student(asked, context(tiny_base, damaged, tmp_path))
    found = compare_student(asked, context(tiny_base, tiny_base, tmp_path))
    assert found["agreement %"] == 100.0
    scored = {"score lost"} if asked.scored else set()
    assert scored == {name for name in found if name == "score lost"}


def test_an_encoder_is_compared_on_request_alone(tiny_base: Path, tmp_path: Path) -> None:
    same = context(tiny_base, tiny_base, tmp_path)
    assert compare_student(config(), same) == {}
    assert "eval" not in [need.split for need in data(config(), ENCODER)]
    assert "agreement %" in compare_student(config(probe_task="tatoeba"), same)


def test_vectors_of_other_widths_are_scored_and_not_compared(
    tiny_base: Path, tmp_path: Path
) -> None:
    from tests.support.harmed import write_small

    small = write_small(tmp_path / "small", "Model")
    apart = context(tiny_base, small, tmp_path)
    assert "agreement %" not in compare_student(config(probe_task="tatoeba"), apart)
    assert "score lost" in compare_student(config(max_lost=100, max_lost_per_language=100), apart)
    said = "its vectors have another width .* set max_lost in place of min_agreement"
    with pytest.raises(GateError, match=said):
        compare_student(config(min_agreement=90), apart)
    narrow = config(min_agreement=90, width=32, hidden=0, relations=1, sentences=0)
    with pytest.raises(StageInputError, match=f"{said}, or leave width out"):
        check(narrow, {"teacher": [ENCODER]})


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: next(iter(limit)))
def test_limits_that_cannot_be_measured_are_refused_before_any_work(limit: dict[str, Any]) -> None:
    unknown = Artifact("checkpoint", external=True)
    with pytest.raises(StageInputError, match="nothing says which text the teacher reads; set pr"):
        check(config(**limit), {"teacher": [unknown]})
    trained = Artifact("checkpoint", "xnli", head=HeadFacts("pair"))
    apart = Config.model_validate(
        {"name": "s", "stage": "distill", "teacher": "t", "student": "e", "logits": 0, **limit}
    )
    with pytest.raises(StageInputError, match="only one of teacher and student has a task head"):
        check(apart, {"teacher": [trained], "student": [ENCODER]})
