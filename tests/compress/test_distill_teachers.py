"""Teachers in other runtimes and precisions: the same logits, the same student, clear refusals."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from quick import distillation, options
from safetensors.torch import load_file

from compress.distill.distill import distill
from compress.distill.student import cut
from compress.distill.targets import Targets
from compress.distill.teachers import logits_function, open_teacher
from compress.errors import StudentError
from compress.export.export import export
from evalsuite.inference.open_model import open_model
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact
from recipes.stages.distill import Config, check
from transfer.encoded_rows.load_rows import load_rows
from transfer.loop.batch_plan import Batch
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")


@pytest.mark.parametrize("name", ["panx", "xquad", "xcopa"])
def test_a_bundle_says_what_its_checkpoint_says(name: str, tiny_base: Path, tmp_path: Path) -> None:
    asked = options(method="full", method_options={}, max_examples=24)
    model, bundle = tmp_path / "model", tmp_path / "bundle"
    train_tasks(tiny_base, [TASKS.get(name)], EMBEDDED, asked, work=tmp_path / "work", out=model)
    export(model, bundle, precision="fp32")
    rows = load_rows(TASKS.get(name), EMBEDDED, model, 48, max_examples=6)
    found = [
        Targets.compute(
            [logits_function(open_teacher(path))], [rows], tmp_path / f"targets-{path.name}"
        )
        for path in (model, bundle)
    ]
    batch = Batch(0, (3, 0, 5), 0)
    first, second = (targets.batch(batch) for targets in found)
    assert first.shape == second.shape and torch.allclose(first, second, atol=1e-4)


@pytest.fixture(scope="module")
def small(tiny_nli: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student to start from: the first of two layers."""
    out = tmp_path_factory.mktemp("small") / "small"
    asked = distillation(layers=(0,), max_steps=1)
    distill(tiny_nli, [TASKS.get("xnli")], EMBEDDED, asked, work=out / "work", out=out)
    return out


def test_a_student_learns_from_a_bundle_what_it_learns_from_the_checkpoint(
    tiny_nli: Path, small: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    export(tiny_nli, bundle, precision="fp32")
    weights, told = [], []
    for teacher in (tiny_nli, bundle):
        asked = distillation(
            layers=None, student=small, cache="auto" if teacher is bundle else "always",
            max_examples=16, max_steps=4, multilingual=0.5, max_pairs=10,
        )  # fmt: skip
        out = tmp_path / f"from-{teacher.name}"
        _, facts = distill(
            teacher, [TASKS.get("xnli")], EMBEDDED, asked, work=out / "work", out=out / "model"
        )
        told.append(facts)
        weights.append(load_file(out / "model" / "model.safetensors"))
    for name, value in weights[0].items():
        assert torch.allclose(value, weights[1][name], atol=1e-4), name
    assert [facts["teacher"] for facts in told] == ["torch fp32", "onnxruntime fp32"]
    assert told[0]["parameters of the teacher"] == told[1]["parameters of the teacher"]
    assert told[1]["teacher's logits"] == "once per row" and told[1]["layers"] == "1 of 2"
    card = (tmp_path / "from-bundle" / "model" / "README.md").read_text()
    assert "teacher: bundle, 2 layers, onnxruntime fp32" in card and "from: small" in card


def test_an_int8_bundle_beside_another_teacher(
    tiny_nli: Path, tiny_bundle: Path, small: Path, tmp_path: Path
) -> None:
    asked = distillation(layers=None, student=small, others=(tiny_nli,), max_examples=16)
    _, facts = distill(
        tiny_bundle, [TASKS.get("xnli")], EMBEDDED, asked, work=tmp_path / "w", out=tmp_path / "o"
    )
    assert facts["teacher"] == "onnxruntime int8"
    assert open_model(tmp_path / "o").labels == open_model(tiny_nli).labels


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"hidden": 1.0},
            "bundle: a bundle gives logits only; set hidden: 0, relations: 0 and sent",
        ),
        ({"sentences": 1.0}, "a bundle gives logits only"),
        (
            {"student": None, "layers": 1},
            "no layers for the student to start from; give student: a checkpoint",
        ),
        ({"cache": "never"}, "cache: never: the teacher is a bundle, which runs once per row"),
        ({"teacher_precision": "bf16"}, "teacher_precision: the precision of a bundle is fixed"),
    ],
)
def test_more_than_logits_is_refused(
    changes: dict[str, Any], says: str, tiny_bundle: Path, small: Path, tmp_path: Path
) -> None:
    asked = dataclasses.replace(distillation(layers=None, student=small), **changes)
    with pytest.raises(StudentError, match=says):
        distill(
            tiny_bundle, [TASKS.get("xnli")], EMBEDDED, asked, work=tmp_path, out=tmp_path / "o"
        )


@pytest.mark.parametrize(
    ("changes", "key"), [({"cache": "always"}, "cache: always"), ({"others": True}, "others")]
)
def test_what_is_for_logits_is_refused_where_none_are_matched(
    changes: dict[str, Any], key: str, tiny_base: Path, tmp_path: Path
) -> None:
    if "others" in changes:
        changes = {"others": (tiny_base,)}
    asked = dataclasses.replace(
        distillation(layers=1, logits=1.0, hidden=0.0, sentences=1.0), **changes
    )
    with pytest.raises(StudentError, match=f"{key}: is for logits, and none are matched"):
        distill(tiny_base, [], EMBEDDED, asked, work=tmp_path / "w", out=tmp_path / "o")


@pytest.mark.parametrize("precision", ["bf16", "int8", "nf4"])
def test_a_teacher_in_fewer_bits_starts_a_student_that_is_whole(
    precision: Any, tiny_nli: Path, tmp_path: Path
) -> None:
    asked = distillation(hidden=1.0, relations=1.0, sentences=1.0, multilingual=0.5, max_steps=3)
    asked = dataclasses.replace(
        asked,
        teacher_precision=precision,
        settings=dataclasses.replace(asked.settings, learning_rate=1e-12, weight_decay=0.0),
    )
    fitted, facts = distill(
        tiny_nli, [TASKS.get("xnli")], EMBEDDED, asked, work=tmp_path / "w", out=tmp_path / "o"
    )
    assert facts["teacher"] == f"torch {precision}" and fitted.final_loss > 0
    whole = cut(load_checkpoint(tiny_nli), [1]).state_dict()
    student = load_checkpoint(tmp_path / "o").state_dict()
    assert all(torch.allclose(value, student[name], atol=1e-6) for name, value in whole.items())
    teacher = open_teacher(tiny_nli, precision)
    ids = torch.randint(5, 100, (2, 9))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    near, far = logits_function(teacher)(inputs), logits_function(open_teacher(tiny_nli))(inputs)
    assert 0 < float((near - far).abs().max()) < 0.5


def test_the_stage_takes_bundles_and_says_what_they_lack() -> None:
    def checked(task: str | None = "xnli", student: bool = True, **fields: Any) -> Artifact:
        asked = {"tasks": ("xnli",), "hidden": 0} | fields
        config = Config(
            name="s", stage="distill", teacher="t", student="c" if student else None, **asked
        )
        inputs = {"teacher": [Artifact("bundle", task, external=task is None)]}
        if student:
            inputs["student"] = [Artifact("checkpoint", "xnli")]
        return check(config, inputs)

    assert checked() == Artifact("checkpoint", "xnli") == checked(task=None)
    with pytest.raises(StageInputError, match="teacher: a bundle gives logits only; set hidden: 0"):
        checked(hidden=1)
    with pytest.raises(StageInputError, match="a bundle gives logits only"):
        checked(sentences=1)
    with pytest.raises(
        StageInputError, match="no layers for the student to start from; give student: a check"
    ):
        checked(student=False)
    with pytest.raises(StageInputError, match="cache: never: the teacher is a bundle"):
        checked(cache="never")
    with pytest.raises(
        StageInputError, match="teacher_precision: the precision of a bundle is fixed"
    ):
        checked(teacher_precision="bf16")
