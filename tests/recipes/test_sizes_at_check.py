"""Sizes and labels that a model cannot have, which are known before anything runs: at `check`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recipes.errors import RecipeError, StageInputError
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.model_shapes import planned_inputs
from recipes.planning.plan import make_plan
from recipes.planning.planned import Planned
from recipes.stages._shared.registry import load_stage
from transfer.errors import TransferError

MODEL = "package:recipes/models/e5-mini"
TRAIN = f"stage: train, model: {MODEL}, tasks: [xnli]"
RECIPE = """
name: demo
source: embedded
stages:
  - {name: t, stage: train, model: MODEL, tasks: [xnli], method: full}
  - {name: y, stage: train, model: MODEL, tasks: [pawsx], method: full}
  - {name: tags, stage: train, model: MODEL, tasks: [panx], method: full}
  - {name: small, STAGE}
"""


def check(folder: Path, stage: str) -> list[str]:
    """What is wrong with the last stage, without the place."""
    path = folder / "r.yaml"
    path.write_text(RECIPE.replace("STAGE", stage).replace("MODEL", MODEL))
    try:
        make_plan(load(str(path)), None, DigestMemo(), keys=False)
    except RecipeError as error:
        return [line.partition("r.yaml:8: ")[2] for line in str(error).splitlines()[1:]]
    return []


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("stage: distill, teacher: t, layers: 40", "layers: 40: the teacher has 9; ask for 1 to 9"),
        (
            "stage: distill, teacher: t, student: t, layers: [3, 9]",
            "the student has the layers 0 to 8",
        ),
        (
            "stage: distill, teacher: t, layers: 2, teacher_layers: [3, 9]",
            "teacher_layers: (3, 9): the teacher has the layers 0 to 8",
        ),
        (
            "stage: distill, teacher: t, relations: 1, relation_layer: 9",
            "relation_layer: 9: the teacher has 0 to 8",
        ),
        (
            "stage: distill, teacher: t, hidden: 0, relations: 1, width: 1024",
            "width: 1024: the teacher has 384; ask for fewer",
        ),
        ("stage: distill, teacher: t, ffn: 100000", "ffn: 100000: the teacher has"),
        ("stage: distill, teacher: t, heads: 100", "heads: 100: the teacher has 12"),
        ("stage: distill, teacher: t, heads: 3", "the teacher 32; set heads: 12 or more"),
        ("stage: prune, model: t, tasks: [xnli], heads: 100", "heads: 100: the model has"),
        ("stage: prune, model: t, tasks: [xnli], ffn: 100000", "ffn: 100000: the model has"),
        ("stage: prune, model: t, tasks: [xnli], layers: 40", "layers: 40: the model has 9"),
        ("stage: static, model: t, width: 100000", "width: 100000: the encoder is "),
        ("stage: factor, model: tags, width: 100000", "width: 100000: the model is "),
        ("stage: factor, model: tags, width: 64", "its layers 384: it is factored"),
        ("stage: export, model: t, embeddings: rank-100000", "ask for a lower rank"),
        (f"{TRAIN}, method: last_k, last: 12", "last: 12, but the model has 9 layers"),
        (
            f"{TRAIN}, adapter_layers: [1, 10]",
            "adapter_layers: 10, but the model has layers 1 to 9",
        ),
        (f"{TRAIN}, rank: 400, init: pissa", "rank: 400 is more than the model's width, 384"),
        (f"{TRAIN}, method: deep_prompt, length: 400", "need more than the model's 512 positions"),
        (f"{TRAIN}, method: soft_prompt, length: 400", "set max_length: 112 or less"),
        (f"{TRAIN}, method: deep_prompt, length: 600", "set length: 384 or less"),
    ],
)
def test_more_than_a_model_has_is_refused(stage: str, said: str, tmp_path: Path) -> None:
    (problem,) = check(tmp_path, stage)
    assert problem.startswith("stage 'small' (") and said in problem


@pytest.mark.parametrize(
    ("student", "said"),
    [
        ("y", "has the labels 0, 1 (label per row), its teacher entailment, neutral, "),
        ("tags", "has a tagging head, its teacher a pair head; set logits: 0 and labels: 0"),
    ],
)
def test_a_student_with_other_labels_is_refused(student: str, said: str, tmp_path: Path) -> None:
    stage = f"stage: distill, teacher: t, student: {student}"
    assert f"student: {said}" in check(tmp_path, stage)[0]
    assert not check(tmp_path, f"{stage}, logits: 0")


@pytest.mark.parametrize(
    "stage",
    [
        "stage: distill, teacher: t, layers: 9",
        f"stage: distill, teacher: t, student: {MODEL}, layers: 9",
        "stage: distill, teacher: t, student: t, teacher_layers: [0, 1, 2, 3, 4, 5, 6, 7, 8]",
        f"stage: distill, teacher: {MODEL}, student: t, relations: 1, hidden: 0",
        f"stage: distill, teacher: {MODEL}, student: t, sentences: 1",
        "stage: prune, model: t, tasks: [xnli], heads: 1, ffn: 0.5",
        "stage: static, model: t, width: 64",
        "stage: export, model: t, embeddings: rank-8",
        f"{TRAIN}, method: last_k, last: 9",
        f"{TRAIN}, adapter_layers: [1, 9], rank: 384, init: pissa",
        f"{TRAIN}, method: deep_prompt, length: 384",
    ],
)
def test_what_a_model_has_is_not(stage: str, tmp_path: Path) -> None:
    assert not check(tmp_path, stage)


@pytest.mark.parametrize("kind", [StageInputError, TransferError])
def test_any_refusal_of_a_stages_sizes_is_at_its_line(
    kind: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def planned(config: Any, models: Any) -> Any:
        raise kind("too many of them")

    monkeypatch.setattr(load_stage("prune"), "planned", planned)
    said = check(tmp_path, "stage: prune, model: t, tasks: [xnli], heads: 1")
    assert said == ["stage 'small' (prune): too many of them"]


class Counted(tuple[Planned, ...]):
    """Stages that count how often all of them are gone through."""

    times = 0

    def __iter__(self) -> Iterator[Planned]:
        self.times += 1
        return super().__iter__()


def test_what_stages_are_given_is_not_searched_stage_by_stage(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(RECIPE.replace("STAGE", "stage: distill, teacher: t").replace("MODEL", MODEL))
    plan = make_plan(load(str(path)), None, DigestMemo(), keys=False)
    stages = Counted(plan.stages)
    found = list(planned_inputs(replace(plan, stages=stages)))
    assert len(found) == len(stages) > 2 >= stages.times
