"""Students of another width: attention relations, narrowed starts, checkpoints to start from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from quick import distillation
from tiny_families import tiny_config, tiny_inputs, tiny_model

from compress.distill.distill import distill
from compress.distill.narrow import Shape, narrow
from compress.distill.relations import (
    attended,
    relation_heads,
    relation_loss,
    teacher_layer,
)
from compress.distill.student import config_of_student, cut
from compress.errors import StudentError
from evalsuite import tokenization
from evalsuite.alignment.measures import linear_cka
from evalsuite.find_family import family_of
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.inference.open_model import open_model
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact, DataNeed
from recipes.stages.distill import Config, check, data
from transfer.models import checkpoints
from transfer.models.checkpoints import Precision

EMBEDDED = DataSource("embedded")


def parts(width: int, seed: int, batch: int = 2, tokens: int = 5) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, tokens, width, generator=generator) for _ in range(3)]


def by_definition(own: list[Any], target: list[Any], mask: torch.Tensor, heads: int) -> float:
    """Token by token, as the paper has it."""
    kinds = []
    for student, teacher in zip(own, target, strict=True):
        terms = []
        for row in range(len(mask)):
            real = [t for t in range(mask.shape[1]) if mask[row, t]]
            for head in range(heads):
                for token in real:
                    spread = []
                    for vectors in (teacher, student):
                        size = vectors.shape[-1] // heads
                        cell = vectors[row, :, head * size : (head + 1) * size]
                        scores = torch.stack([cell[token] @ cell[t] / size**0.5 for t in real])
                        spread.append(torch.softmax(scores, 0))
                    p, q = spread
                    terms.append(float((p * (p / q).log()).sum()))
        kinds.append(sum(terms) / len(terms))
    return sum(kinds) / len(kinds)


@pytest.mark.parametrize(("narrower", "heads"), [(12, 1), (12, 3), (6, 3), (24, 6)])
def test_relations_are_what_the_paper_defines(narrower: int, heads: int) -> None:
    own, target = parts(narrower, 1), parts(12, 2)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    found = float(relation_loss(own, target, mask, heads))
    assert found == pytest.approx(by_definition(own, target, mask, heads), rel=1e-4)
    assert float(relation_loss(target, target, mask, heads)) == pytest.approx(0, abs=1e-6)


def test_padding_has_no_part_in_relations() -> None:
    own, target = parts(8, 1), parts(12, 2)
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]])
    before = relation_loss(own, target, mask, 2)
    for tensors in (own, target):
        for tensor in tensors:
            tensor[mask == 0] = 50.0
    assert float(relation_loss(own, target, mask, 2)) == pytest.approx(float(before), rel=1e-5)


def test_heads_and_layers_have_defaults_and_limits() -> None:
    class Size:
        def __init__(self, width: int, heads: int) -> None:
            self.hidden_size, self.num_attention_heads = width, heads

    assert relation_heads(None, Size(768, 12), Size(384, 6)) == 12
    assert relation_heads(48, Size(768, 12), Size(384, 12)) == 48
    with pytest.raises(StudentError, match="48 does not divide both widths, 768 and 100; try 4"):
        relation_heads(48, Size(768, 12), Size(100, 5))
    assert [teacher_layer(None, n) for n in (6, 12, 24)] == [5, 11, 18]
    assert teacher_layer(2, 6) == 2
    with pytest.raises(StudentError, match="relation_layer: 6: the teacher has 0 to 5"):
        teacher_layer(6, 6)


def test_what_attention_saw_is_collected_once_and_hooks_leave(tiny_nli: Path) -> None:
    model = load_checkpoint(tiny_nli)
    ids = torch.randint(5, 100, (2, 7))
    model(input_ids=ids, output_hidden_states=True)  # transformers hooks what it collects
    before = [len(module._forward_hooks) for module in model.modules()]
    with attended(model, 1) as found:
        model(input_ids=ids)
    layer = model.base_model.encoder.layer[1].attention.self
    states = model(input_ids=ids, output_hidden_states=True).hidden_states[1]
    assert len(found) == 3
    for tensor, part in zip(found, ("query", "key", "value"), strict=True):
        assert torch.allclose(tensor, getattr(layer, part)(states), atol=1e-5)
    assert [len(module._forward_hooks) for module in model.modules()] == before


def batches(model: Any) -> list[dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, model.config.vocab_size, (4, 12), generator=generator)
    return [{"input_ids": ids, "attention_mask": torch.ones_like(ids)}]


def test_a_shape_that_changes_nothing_changes_nothing(tiny_nli: Path) -> None:
    teacher = cut(load_checkpoint(tiny_nli), [0, 1]).eval()
    config = teacher.config
    same = Shape(config.hidden_size, config.num_attention_heads, config.intermediate_size)
    student = narrow(teacher, same, batches(teacher)).eval()
    (batch,) = batches(teacher)
    assert torch.allclose(student(**batch).logits, teacher(**batch).logits, atol=1e-5)


def test_units_that_do_nothing_are_those_that_go(tiny_nli: Path) -> None:
    teacher = load_checkpoint(tiny_nli)
    (batch,) = batches(teacher)
    idle = [3, 10, 50]
    with torch.no_grad():
        for layer in teacher.base_model.encoder.layer:
            layer.output.dense.weight[:, idle] = 0.0
    units = teacher.config.intermediate_size
    student = narrow(teacher, Shape(ffn=units - len(idle)), [batch]).eval()
    assert student.config.intermediate_size == units - len(idle)
    assert torch.allclose(student(**batch).logits, teacher(**batch).logits, atol=1e-5)


def test_the_head_that_is_heard_is_the_one_that_stays(tiny_nli: Path) -> None:
    teacher = load_checkpoint(tiny_nli)
    with torch.no_grad():
        for layer in teacher.base_model.encoder.layer:
            layer.attention.output.dense.weight[:, :32] = 0.0  # nothing of the first of two
    student = narrow(teacher, Shape(width=32, heads=1), batches(teacher))
    for layer in student.base_model.encoder.layer:
        assert layer.attention.output.dense.weight.abs().max() > 0


def test_a_narrowed_start_is_nearer_to_the_teacher_than_chance(tiny_nli: Path) -> None:
    teacher = load_checkpoint(tiny_nli)
    tokenizer = tokenization.load(tiny_nli)
    tokenizer.enable_padding(pad_id=1, pad_token="<pad>")
    texts = [row.foreign for row in TASKS.get("tatoeba").load(EMBEDDED, "test", "de")[:120]]
    encoded = tokenizer.encode_batch(texts)
    batch = {
        "input_ids": torch.tensor([e.ids for e in encoded]),
        "attention_mask": torch.tensor([e.attention_mask for e in encoded]),
    }
    student = narrow(teacher, Shape(width=32, heads=2, ffn=64), [batch]).eval()
    torch.manual_seed(0)
    stranger = type(teacher)(student.config).eval()

    def likeness(model: Any, layer: int) -> float:
        pooled = []
        for one in (teacher, model):
            with torch.no_grad():
                states = one(**batch, output_hidden_states=True).hidden_states[layer]
            mask = batch["attention_mask"][..., None]
            pooled.append(((states * mask).sum(1) / mask.sum(1)).numpy())
        return linear_cka(*pooled)

    for layer in (0, 1, 2):
        assert likeness(student, layer) > 0.8
        assert likeness(student, layer) > likeness(stranger, layer) + 0.05


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        (Shape(width=999), "width: 999: the teacher has 64"),
        (Shape(width=33, heads=2), "width 33 is no multiple of 2 heads"),
        (
            Shape(width=64, heads=1),
            "heads: 1 in a width of 64 have 64 dimensions each, and those",
        ),
        (Shape(ffn=99_999), "ffn: 99999: the teacher has"),
    ],
)
def test_shapes_that_do_not_fit_are_said_so(tiny_nli: Path, shape: Shape, says: str) -> None:
    teacher = load_checkpoint(tiny_nli)
    with pytest.raises(StudentError, match=says):
        narrow(teacher, shape, batches(teacher))


@pytest.mark.parametrize(("width", "heads", "has"), [(16, None, 2), (20, None, 4), (16, 4, 4)])
def test_a_plan_has_the_heads_of_the_student(width: int, heads: int | None, has: int) -> None:
    teacher = tiny_model("bert")  # 4 heads in a width of 32
    student = narrow(teacher, Shape(width, heads), [tiny_inputs()])
    plan = config_of_student(teacher.config, None, width, heads, None)
    assert student.config.num_attention_heads == plan.num_attention_heads == has


def test_half_the_width_of_a_base_model_has_half_its_heads() -> None:
    large = tiny_config("bert", hidden_size=768, num_attention_heads=12)
    assert config_of_student(large, None, 384, None, None).num_attention_heads == 6
    assert config_of_student(large, 2, None, None, None).num_attention_heads == 12


def test_a_narrow_student_learns_by_relations_on_plain_text(tiny_nli: Path, tmp_path: Path) -> None:
    asked = distillation(
        logits=0.0, relations=1.0, relation_heads=2, multilingual=0.5, max_steps=30, max_pairs=60,
        layers=1, shape=Shape(width=32, heads=2, ffn=64),
    )  # fmt: skip
    losses = []
    for steps, name in ((2, "short"), (30, "long")):
        import dataclasses

        fitted, facts = distill(
            tiny_nli, [], EMBEDDED, dataclasses.replace(asked, max_steps=steps),
            work=tmp_path / f"{name}-work", out=tmp_path / name,
        )  # fmt: skip
        losses.append(fitted.final_loss)
        assert facts["layers"] == "1 of 2" and facts["width"] == "32 of 64"
    assert losses[1] < 0.9 * losses[0]
    config = read_config(tmp_path / "long")
    assert (config["hidden_size"], config["intermediate_size"]) == (32, 64)
    assert open_model(tmp_path / "long").labels == open_model(tiny_nli).labels
    card = (tmp_path / "long" / "README.md").read_text()
    assert "narrowed to 32 wide, 2 heads" in card and "tasks: none" in card


def test_a_student_that_was_just_cut_draws_nothing(tiny_nli: Path) -> None:
    """So that sentences embedded before training are the same each time."""
    teacher = load_checkpoint(tiny_nli).train()
    shape = Shape(width=32, heads=2, ffn=64)
    for student in (cut(teacher, [0]), narrow(teacher, shape, batches(teacher))):
        assert not student.training


def test_a_student_may_be_another_checkpoint(tiny_nli: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    _, _ = distill(
        tiny_nli, [TASKS.get("xnli")], EMBEDDED, distillation(), work=tmp_path / "w1", out=first
    )
    fitted, facts = distill(
        tiny_nli,
        [TASKS.get("xnli")],
        EMBEDDED,
        distillation(layers=None, student=first, hidden=1.0),
        work=tmp_path / "w2",
        out=tmp_path / "second",
    )
    assert facts["layers"] == "1 of 2" and fitted.steps == 2
    assert "started from: first" in (tmp_path / "second" / "README.md").read_text()


def test_a_student_with_other_pieces_or_head_is_refused(
    tiny_nli: Path, tagger: Path, tmp_path: Path
) -> None:
    def distilled(student: Path, **changes: Any) -> None:
        asked = distillation(layers=None, student=student, **changes)
        distill(tiny_nli, [], EMBEDDED, asked, work=tmp_path / "w", out=tmp_path / "o")

    with pytest.raises(StudentError, match="set logits: 0 and labels: 0, or train the head"):
        distilled(tagger)
    other = tmp_path / "other"
    shutil.copytree(tiny_nli, other)
    tree = json.loads((other / "tokenizer.json").read_text())
    tree["normalizer"] = {"type": "Lowercase"}
    (other / "tokenizer.json").write_text(json.dumps(tree))
    with pytest.raises(StudentError, match=r"relations are matched token by token"):
        distilled(other, relations=1.0)


def test_the_stage_says_what_does_not_go_together() -> None:
    def checked(**fields: Any) -> Artifact:
        config = Config(name="s", stage="distill", teacher="t", **fields)
        inputs = {"teacher": [Artifact("checkpoint", "xnli")]}
        if "student" in fields:
            inputs["student"] = [Artifact("checkpoint", "xnli")]
        return check(config, inputs)

    assert checked(relations=1, logits=0, hidden=0, layers=3, width=384).task == "xnli"
    assert checked(student="s", tasks=("xnli",)).kind == "checkpoint"
    with pytest.raises(StageInputError, match="set hidden: 0, relations: 1"):
        checked(width=384, layers=3)
    with pytest.raises(StageInputError, match="leave width, heads and ffn out"):
        checked(student="s", layers=3, width=384, hidden=0)
    assert checked(student="s", layers=3).kind == "checkpoint"
    with pytest.raises(StageInputError, match="relations and sentences are all 0"):
        checked(logits=0, hidden=0, layers=3)
    with pytest.raises(StageInputError, match="so there is no text to learn from"):
        checked(layers=3, multilingual=0)
    alone = Config(name="s", stage="distill", teacher="t", layers=3)
    assert DataNeed("parallel", "parallel") in data(alone, Artifact("checkpoint"))


@pytest.mark.parametrize("precision", ["int8", "nf4"])
@pytest.mark.parametrize("family", ["modernbert", "deberta-v2", "xlm-roberta"])
def test_relations_of_a_quantized_teacher_are_of_all_its_rows(
    family: str, precision: Precision, tmp_path: Path
) -> None:
    whole = tiny_model(family, hidden_size=64, intermediate_size=128)
    whole.save_pretrained(tmp_path)
    model = checkpoints.frozen(tmp_path, precision)
    described = family_of(model)
    layer = described.layers(model)[2]
    size = 64
    spans = [(rows.start, rows.stop) for rows in described.projections(layer).values()]
    fused = family == "modernbert"
    assert spans == [(n * size * fused, size + n * size * fused) for n in range(3)]
    assert all((rows.start, rows.stop) == (0, size) for rows in described.relative(layer))
    assert described.feed_forward(layer).inward[0].stop == 128
    with torch.no_grad(), attended(model, 2) as found:
        model(**tiny_inputs())
    assert [tensor.shape[-1] for tensor in found] == [size] * 3
    loss = relation_loss(found, found, tiny_inputs()["attention_mask"], 4)
    assert float(loss) == pytest.approx(0, abs=1e-5)  # and no NaN
