"""A student that is an encoder gets its teacher's kind of head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import bert, small
from quick import distillation
from tiny_families import tiny_model
from transformers import BertConfig, BertModel

from compress.distill.distill import distill
from compress.distill.new_head import needs_head, with_head
from compress.errors import StudentError
from compress.prune.importance import measure
from compress.static.make import make
from evalsuite.inference.checkpoint_config import (
    answers_of,
    head_of,
    labels_of,
    model_config,
    read_config,
)
from evalsuite.inference.open_model import open_model
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from recipes.stages._shared.contract import Artifact, HeadFacts
from recipes.stages.distill import Config, check
from transfer.models.label_rows import output_layer, put_in_order

EMBEDDED = DataSource("embedded")
MULTI = "multi_label_classification"


def test_of_the_same_shape_the_head_begins_as_the_teachers(tiny_nli: Path, tiny_base: Path) -> None:
    assert needs_head(tiny_base, tiny_nli) and not needs_head(tiny_nli, tiny_nli)
    teacher = load_checkpoint(tiny_nli)
    student = with_head(tiny_base, tiny_nli, teacher)
    assert torch.equal(student.classifier.out_proj.weight, teacher.classifier.out_proj.weight)
    assert torch.equal(student.classifier.dense.bias, teacher.classifier.dense.bias)
    assert student.config.id2label == teacher.config.id2label
    own = load_checkpoint(tiny_base).get_input_embeddings().weight
    assert torch.equal(student.get_input_embeddings().weight, own)


def test_it_answers_as_a_teacher_whose_labels_were_put_in_another_order(
    tiny_nli: Path, tiny_base: Path
) -> None:
    """Training turns the teacher's rows into the task's order, not what its file says."""
    teacher = load_checkpoint(tiny_nli)
    turned = tuple(reversed(teacher.config.id2label.values()))
    assert put_in_order(teacher, turned)
    student = with_head(tiny_base, tiny_nli, teacher)
    assert student.config.id2label == teacher.config.id2label == dict(enumerate(turned))
    assert torch.equal(student.classifier.out_proj.weight, teacher.classifier.out_proj.weight)
    assert not put_in_order(student, turned)


def test_it_is_not_copied_where_another_family_computes_it_otherwise(tmp_path: Path) -> None:
    """ELECTRA's head has the tensors of XLM-R's, and another activation between them."""
    teachers = {head: tiny_model("xlm-roberta", head) for head in ("pair", "tagging")}
    for name, head, copied in (
        ("electra", "pair", False),
        ("roberta", "pair", True),
        ("electra", "tagging", True),
    ):
        teacher, folder = teachers[head], tmp_path / f"{name}-{head}"
        teacher.save_pretrained(tmp_path / head)
        tiny_model(name, None).save_pretrained(folder)
        student = with_head(folder, tmp_path / head, teacher)
        assert student.config.id2label == teacher.config.id2label
        own, theirs = output_layer(student)[1].weight, output_layer(teacher)[1].weight
        assert torch.equal(own, theirs) == copied


def test_a_pooler_is_copied_with_the_head(tmp_path: Path) -> None:
    teacher_dir = bert(tmp_path / "teacher")
    BertModel(BertConfig.from_pretrained(teacher_dir)).save_pretrained(tmp_path / "student")
    teacher = load_checkpoint(teacher_dir)
    student = with_head(tmp_path / "student", teacher_dir, teacher)
    for own, theirs in (
        (student.bert.pooler.dense.weight, teacher.bert.pooler.dense.weight),
        (student.classifier.weight, teacher.classifier.weight),
    ):
        assert torch.equal(own, theirs)
    assert not torch.equal(
        student.get_input_embeddings().weight, teacher.get_input_embeddings().weight
    )


def test_of_another_shape_it_is_new(tiny_nli: Path, tiny_base: Path, tmp_path: Path) -> None:
    make(tiny_base, ["It rains."], tmp_path / "static", width=16)
    student = with_head(tmp_path / "static", tiny_nli, load_checkpoint(tiny_nli))
    assert student.config.id2label == load_checkpoint(tiny_nli).config.id2label


@pytest.mark.parametrize("head", ["pair", "tagging"])
def test_an_encoder_learns_a_task_from_its_teacher(
    head: str, tiny_nli: Path, tagger: Path, tiny_base: Path, tmp_path: Path
) -> None:
    teacher, task = (tiny_nli, "xnli") if head == "pair" else (tagger, "udpos")
    asked = distillation(layers=None, student=tiny_base, max_steps=2)
    distill(teacher, [TASKS.get(task)], EMBEDDED, asked, work=tmp_path / "w", out=tmp_path / "out")
    config = read_config(tmp_path / "out")
    assert head_of(config) == head and labels_of(config) == labels_of(model_config(teacher))
    assert open_model(tmp_path / "out").labels == open_model(teacher).labels


@pytest.mark.parametrize(
    ("answers", "config"),
    [("score", {"labels": ["likeness"]}), ("labels", {"problem_type": MULTI}), ("label", {})],
)
def test_an_elastic_students_units_are_measured_with_its_teachers_answers(
    answers: str, config: dict[str, Any], tiny_base: Path, tmp_path: Path
) -> None:
    teacher = small(tmp_path / "teacher", **config)
    student = with_head(tiny_base, teacher, load_checkpoint(teacher))
    assert answers_of(student.config.to_dict()) == answers == open_model(teacher).answers
    ids = torch.arange(5, 53).view(4, 12)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    assert (measure(student, [batch], seed=1).units.mean(-1) > 0).all()


def test_a_student_with_more_layers_than_its_teacher_is_said_with_its_name(tmp_path: Path) -> None:
    teacher, student = (small(tmp_path / f"of{n}", layers=n) for n in (2, 3))
    asked = distillation(layers=None, student=student, hidden=1.0, max_steps=1)
    where = {"work": tmp_path / "w", "out": tmp_path / "o"}
    with pytest.raises(StudentError, match=r"^student: of3 starts with 3 layers.*set layers: 2 or"):
        distill(teacher, [TASKS.get("xnli")], EMBEDDED, asked, **where)


def test_a_static_encoder_too(tiny_nli: Path, tiny_base: Path, tmp_path: Path) -> None:
    make(tiny_base, ["It rains."], tmp_path / "static", width=16)
    asked = distillation(layers=None, student=tmp_path / "static", max_steps=2, hidden=0.0)
    distill(
        tiny_nli, [TASKS.get("xnli")], EMBEDDED, asked, work=tmp_path / "w", out=tmp_path / "out"
    )
    assert open_model(tmp_path / "out").labels == open_model(tiny_nli).labels


@pytest.mark.parametrize("external", [False, True])
def test_the_stage_knows_which_head_comes_out(external: bool) -> None:
    facts = HeadFacts("pair", ("no", "yes"))
    encoder = Artifact("checkpoint", None, external, head=HeadFacts(None) if external else None)
    teacher = Artifact("checkpoint", "xnli", head=facts)

    def given(**fields: Any) -> Artifact:
        config = Config(name="s", stage="distill", teacher="t", student="e", **fields)
        return check(config, {"teacher": [teacher], "student": [encoder]})

    assert (given(tasks=("xnli",)).task, given(tasks=("xnli",)).head) == ("xnli", facts)
    assert given(logits=0, hidden=1).task is None  # no output is matched, so no head is made
