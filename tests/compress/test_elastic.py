"""Elastic students: cuts are what was trained, a killed training resumes, and training helps."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import small
from quick import distillation
from safetensors.torch import load_file
from tiny_families import MODELS, tiny_inputs, tiny_model

from compress.cut.cut import cut_checkpoint, cut_out
from compress.distill.distill import distill
from compress.distill.elastic_cuts import (
    Cuts,
    Elastic,
    cuts_of,
    declare,
    declared,
    nested,
    sizes_problem,
    untrained,
)
from compress.distill.elastic_training import (
    ElasticLoss,
    elastic_cuts,
    order_units,
    part_of,
)
from compress.distill.losses import matched_loss
from compress.distill.rules import choose_layers
from compress.distill.student import cut
from compress.distill.student_batch import Match, StudentBatch
from compress.errors import StudentError
from evalsuite import tokenization
from evalsuite.find_family import family_of
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from transfer.loop.batch_plan import Batch, plan
from transfer.loop.types import TrainingData
from transfer.precision.train_rounded import quantize_aware

SOURCE = DataSource("embedded")
XNLI = [TASKS.get("xnli")]


def tiny_cuts(model: Any) -> Cuts:
    """Of a model of 3 layers and 48 units: each number of layers, half and a sixth of the units."""
    first = family_of(model).first_layer_reason(model.config) is not None
    return nested(3, [2, 1], 48, [24, 8], keep_first=first)


@pytest.mark.parametrize(("name", "changed"), MODELS)
def test_a_part_computes_and_learns_what_the_cut_does(name: str, changed: dict[str, Any]) -> None:
    model, inputs = tiny_model(name, **changed), tiny_inputs()
    model(**inputs, output_hidden_states=True)  # transformers hooks what it collects
    cuts = tiny_cuts(model)
    assert len(cuts.all()) == 9
    for chosen in cuts.all():
        part, alone = part_of(model, chosen).eval(), cut_out(model, chosen).eval()
        asked = [one(**inputs, output_hidden_states=True) for one in (part, alone)]
        assert torch.allclose(asked[0].logits, asked[1].logits, atol=1e-6), chosen
        states = [outputs.hidden_states for outputs in asked]
        assert len(states[0]) == len(states[1]) == len(chosen.layers) + 1
        assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(*states, strict=True))
    model.zero_grad()
    asked[0].logits.square().sum().backward()
    asked[1].logits.square().sum().backward()
    family, chosen = family_of(model), cuts.all()[-1]
    layer, other = family.layers(model)[chosen.layers[0]], family.layers(alone)[0]
    inward, right = family.feed_forward(layer).inward, family.feed_forward(other).inward
    for whole, own in zip(inward, right, strict=True):
        found = whole.linear.weight.grad[whole.start : whole.stop]
        wanted = own.linear.weight.grad[own.start : own.stop]
        assert torch.allclose(found[:8], wanted, atol=1e-5) and wanted.abs().max() > 0
        assert not found[8:].any()
    found = family.feed_forward(layer).outward.weight.grad
    assert torch.allclose(found[:, :8], family.feed_forward(other).outward.weight.grad, atol=1e-5)


@pytest.mark.parametrize("name", ["xlm-roberta", "modernbert"])
def test_a_part_rounds_its_weights_as_its_cut_does(name: str) -> None:
    model, inputs = tiny_model(name), tiny_inputs()
    chosen = tiny_cuts(model).find(2, 24)
    with quantize_aware(model, "int8"):
        part = part_of(model, chosen).eval()
        alone = cut_out(model, chosen).eval()
        with quantize_aware(part, "int8"), quantize_aware(alone, "int8"):
            assert torch.allclose(part(**inputs).logits, alone(**inputs).logits, atol=1e-5)
            rounded = part(**inputs).logits
        assert not torch.allclose(part(**inputs).logits, rounded, atol=1e-5)


@pytest.mark.parametrize(("name", "changed"), MODELS)
def test_units_in_order_leave_the_outputs_and_come_first(
    name: str, changed: dict[str, Any]
) -> None:
    model, inputs = tiny_model(name, **changed), tiny_inputs()
    family = family_of(model)
    idle = [0, 3, 10]
    with torch.no_grad():
        for layer in family.layers(model):
            family.feed_forward(layer).outward.weight[:, idle] = 0.0
    before = model(**inputs).logits
    order_units(model, [inputs], seed=1)
    assert torch.allclose(model(**inputs).logits, before, atol=1e-5)
    for layer in family.layers(model):  # what does nothing comes last
        assert not family.feed_forward(layer).outward.weight[:, -len(idle) :].any()
    cuts = nested(3, [], 48, [45])
    smaller = cut_out(model, cuts.find(3, 45)).eval()
    assert torch.allclose(smaller(**inputs).logits, before, atol=1e-5)


def test_greedy_layers_of_cuts_lie_inside_each_other() -> None:
    model = tiny_model("xlm-roberta", num_hidden_layers=5)
    found = elastic_cuts(model, Elastic(layers=(1, 3)), [tiny_inputs()], greedy=True, seed=1)
    assert [len(chosen) for chosen in found.layers] == [5, 3, 1] and found.ffn == (48,)
    assert set(found.layers[2]) < set(found.layers[1]) < set(found.layers[0])


def test_each_depth_keeps_layers_of_the_next_larger_one() -> None:
    assert nested(6, [2, 4, 3], 8, []).layers == (tuple(range(6)), (1, 2, 3, 5), (1, 3, 5), (3, 5))
    assert nested(12, [6], 8, []).layers[1] == tuple(choose_layers(6, 12))
    first = nested(6, [3, 1], 8, [], keep_first=True).layers
    assert first[1:] == ((0, 2, 5), (0,))
    assert nested(3, [3], 8, [4, 8]).ffn == (8, 4)


@pytest.mark.parametrize(
    ("elastic", "message"),
    [
        (Elastic(), "give layers or ffn: smaller sizes"),
        (Elastic(layers=(6,)), "give layers or ffn: smaller sizes"),
        (Elastic(layers=(7, 2)), "layers: 7: the student has 6; give smaller numbers of layers, "),
        (Elastic(layers=(0,)), "layers: 0: the student has 6"),
        (Elastic(layers=(3, 3)), "layers: 3, 3: give each size once"),
        (Elastic(ffn=(3, 9000)), "ffn: 9000: the student has 64; give smaller numbers of units"),
    ],
)
def test_sizes_that_cannot_be_are_refused(elastic: Elastic, message: str) -> None:
    assert message in (sizes_problem(elastic, 6, 64) or "")
    with pytest.raises(StudentError, match="elastic: "):
        nested(6, elastic.layers, 64, elastic.ffn)


def test_a_size_that_was_not_trained_is_refused_with_those_that_were() -> None:
    cuts = nested(6, [4, 3], 64, [32])
    assert cuts.find(None, None) == cuts.all()[0] and cuts.find(4, 32).layers == (1, 2, 3, 5)
    assert cuts.text() == "layers 6, 4, 3; ffn 64, 32"
    message = "layers: 5: the student was not trained at this size; trained: layers 6, 4, 3; ffn 64"
    with pytest.raises(StudentError, match=message):
        cuts.find(5, 64)
    with pytest.raises(StudentError, match=r"ffn: 48: the student was not .*; ffn 64, 32"):
        cuts.find(4, 48)
    assert untrained(5, 48, (), (64, 48)) is None  # depths are not known


@pytest.mark.parametrize(
    "entry",
    [
        5,
        {},
        {"layers": [], "ffn": [8]},
        {"layers": [[0, 1], [2]], "ffn": [8]},
        {"layers": [[0, 1], [1, 0]], "ffn": [8]},
        {"layers": [[0, 1]], "ffn": [8, 9]},
        {"layers": [["a"]], "ffn": [8]},
        {"layers": [[0, 2]], "ffn": [8]},
    ],
)
def test_a_damaged_entry_of_a_config_has_a_message(entry: Any) -> None:
    with pytest.raises(StudentError, match=r"config.json: elastic_cuts is damaged.*copy the check"):
        declared({"elastic_cuts": entry}, 2, 8)


def test_a_declaration_is_of_models_of_its_size() -> None:
    model = tiny_model("xlm-roberta")
    cuts = tiny_cuts(model)
    assert cuts_of(model.config) is None
    declare(model.config, cuts)
    written = json.loads(model.config.to_json_string())
    assert declared(written, 3, 48) == cuts == cuts_of(model.config)
    assert cuts_of(cut(model, [0, 2]).config) is None  # as after prune and distill
    assert cuts_of(cut_out(model, cuts.find(3, 48)).config) is None
    declare(model.config, None)
    assert "elastic_cuts" not in model.config.to_dict()


BF16 = replace(distillation().settings, compute="bf16")


# Three layers of width 32 with random weights; its answers spread.
@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small(tmp_path_factory.mktemp("elastic") / "teacher", layers=3)


def trained(teacher: Path, out: Path, steps: int = 4, **changed: Any) -> dict[str, Any]:
    """The summary of a distillation of the whole teacher, all of it at the embedded XNLI."""
    asked = {"layers": None, "max_steps": steps, "elastic": Elastic((2, 1), (32,)), **changed}
    folders = {"work": out / "work", "out": out / "model"}
    progress = asked.pop("progress", lambda fraction, text: None)
    _, facts = distill(teacher, XNLI, SOURCE, distillation(**asked), progress=progress, **folders)
    return facts


@pytest.mark.parametrize(
    "terms",
    [
        {"hidden": 1.0, "multilingual": 0.5},
        {"relations": 1.0, "logits": 0.0, "quantize_aware": "int8"},
        {"sentences": 1.0, "multilingual": 0.5, "labels": 1.0, "settings": BF16},
    ],
)
def test_a_cut_is_a_plain_checkpoint_of_the_trained_part(
    terms: dict[str, Any], teacher: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForSequenceClassification

    facts = trained(teacher, tmp_path, **terms)
    assert facts["cuts"] == "layers 3, 2, 1; ffn 64, 32"
    whole = load_checkpoint(tmp_path / "model")
    assert cuts_of(whole.config) is not None
    chosen = cut_checkpoint(tmp_path / "model", tmp_path / "cut", layers=2, ffn=32)
    found = AutoModelForSequenceClassification.from_pretrained(tmp_path / "cut").eval()
    ids = torch.randint(5, 900, (4, 12), generator=torch.Generator().manual_seed(1))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    right = part_of(whole, chosen).eval()(**inputs).logits
    assert torch.allclose(found(**inputs).logits, right, atol=1e-5)
    config = read_config(tmp_path / "cut")
    assert (config["num_hidden_layers"], config["intermediate_size"]) == (2, 32)
    assert "elastic_cuts" not in config
    tokenization.load(tmp_path / "cut")
    assert "cut from: model" in (tmp_path / "cut" / "README.md").read_text()
    with pytest.raises(StudentError, match=r"cut declares no smaller sizes.*distil it with elast"):
        cut_checkpoint(tmp_path / "cut", tmp_path / "again", layers=1)


class Killed(Exception):
    """Stands in for a kill."""


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_killed_training_ends_with_the_same_weights(
    checkpointing: bool, teacher: Path, tmp_path: Path
) -> None:
    settings = replace(
        distillation().settings, save_every=0.0, gradient_checkpointing=checkpointing
    )

    def kill(fraction: float, text: str) -> None:
        if text.startswith("step 4 "):
            raise Killed

    def made(name: str, **more: Any) -> dict[str, torch.Tensor]:
        trained(teacher, tmp_path / name, 6, settings=settings, hidden=1.0, **more)
        return load_file(tmp_path / name / "model" / "model.safetensors")

    whole = made("whole")
    with pytest.raises(Killed):
        made("cut", progress=kill)
    rest = made("cut")
    assert len(whole) > 10 and all(torch.equal(rest[name], whole[name]) for name in whole)


@torch.no_grad()
def test_the_loss_is_the_mean_of_the_student_and_the_batchs_cut(teacher: Path) -> None:
    right, student = load_checkpoint(teacher), load_checkpoint(teacher)
    cuts = nested(3, [2, 1], 64, [])
    options = distillation(layers=None, hidden=1.0)
    inputs = tiny_inputs()
    match = Match.of(right, student, [0, 1, 2], options)
    with ElasticLoss(cuts, right, match) as elastic:
        data = elastic.data(TrainingData(batches(40), lambda batch: dict(inputs)))
        numbers = [data.collate(batch)["cut"] for batch in data.batches]
        assert numbers == [data.collate(batch)["cut"] for batch in data.batches]
        assert 10 < numbers.count(1) < 30 and set(numbers) == {1, 2}
        found = [float(elastic.loss(student, inputs | {"cut": number})) for number in (1, 2)]
    batch = StudentBatch.of(inputs)
    whole = float(matched_loss(student, right, batch, match))
    for value, chosen in zip(found, cuts.all()[1:], strict=True):
        alone = cut_out(student, chosen).eval()
        own = replace(match, chosen=chosen.layers)
        wanted = (whole + float(matched_loss(alone, right, batch, own))) / 2
        assert value == pytest.approx(wanted, rel=1e-4)


def batches(count: int) -> list[Batch]:
    """Batches of one row with seeds as a plan draws them."""
    return plan([3] * count, 1, count, seed=1)


def divergence(student: Any, teacher: Any) -> float:
    """Kullback-Leibler divergence from the teacher's answers on random sequences."""
    ids = torch.randint(5, 900, (64, 16), generator=torch.Generator().manual_seed(5))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.no_grad():
        own, right = (m.eval()(**inputs).logits.log_softmax(-1) for m in (student, teacher))
    return float((right.exp() * (right - own)).sum(-1).mean())


def test_a_cut_is_better_for_the_training_and_the_whole_is_not_spent_on_it(
    teacher: Path, tmp_path: Path
) -> None:
    elastic = Elastic(layers=(1,))
    trained(teacher, tmp_path / "elastic", 60, elastic=elastic, freeze_embeddings=True)
    trained(teacher, tmp_path / "plain", 60, elastic=None, freeze_embeddings=True)
    models = [load_checkpoint(tmp_path / name / "model") for name in ("elastic", "plain")]
    right = load_checkpoint(teacher)
    cuts = [divergence(cut(model, [2]), right) for model in models]
    assert cuts[0] < 0.7 * cuts[1], cuts
    whole = [divergence(model, right) for model in models]
    assert whole[0] < 0.2 * cuts[0], (whole, cuts)
