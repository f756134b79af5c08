"""Pruning: what importance says, what a cut changes, what is better than chance."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from quick import distillation

from compress.distill.student import cut
from compress.errors import GateError, PruneError, StudentError
from compress.export.export import export
from compress.export.graph import ExportOptions
from compress.prune import structure
from compress.prune.importance import (
    block_influence,
    least_similar,
    measure,
    strongest,
    surprise,
)
from compress.prune.importance_text import importance_batches
from compress.prune.prune import RECORD, PruneOptions, Size, parameters, prune
from compress.prune.rules import share, wanted
from evalsuite.agreement import outputs
from evalsuite.bench import flops
from evalsuite.errors import UnknownNameError
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.inference.open_model import open_model
from evalsuite.inference.probe_text import Probe, sample
from evalsuite.inference.session import Session
from evalsuite.machine import model_size
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages._shared.contract import Artifact, Input, StageContext
from recipes.stages.prune import Config, check, cost, data, run
from transfer.models.checkpoints import copy_tokenizer

EMBEDDED = DataSource("embedded")


def small(head: str = "SequenceClassification", **changes: Any) -> Any:
    """3 layers of 4 heads of 8 columns and 12 units, weights large enough to matter."""
    import transformers

    torch.manual_seed(0)
    config = transformers.XLMRobertaConfig(
        vocab_size=60, hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
        intermediate_size=12, max_position_embeddings=40, initializer_range=0.3,
        **{"num_labels": 3} | changes,
    )  # fmt: skip
    name = f"XLMRobertaFor{head}" if head else "XLMRobertaModel"
    model = getattr(transformers, name)(config).eval()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Linear):
                module.bias.normal_(0, 0.1)
    return model


def batch(rows: int = 4, tokens: int = 9) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(5, 60, (rows, tokens), generator=generator)
    mask = torch.ones_like(ids)
    ids[0, tokens - 3 :], mask[0, tokens - 3 :] = 1, 0
    return {"input_ids": ids, "attention_mask": mask}


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model.eval()(**batch()).logits
    return found


def scale_unit(model: Any, layer: int, unit: int, factor: float) -> None:
    with torch.no_grad():
        model.roberta.encoder.layer[layer].output.dense.weight[:, unit] *= factor


def scale_head(model: Any, layer: int, head: int, factor: float) -> None:
    with torch.no_grad():
        output = model.roberta.encoder.layer[layer].attention.output.dense
        output.weight[:, head * 8 : (head + 1) * 8] *= factor


@pytest.mark.parametrize(("scale", "kind"), [(scale_unit, "units"), (scale_head, "heads")])
def test_importance_is_the_squared_slope_of_each_rows_loss(
    scale: Callable[[Any, int, int, float], None], kind: str
) -> None:
    gold = torch.tensor([0, 2, 1, 1])
    found = getattr(measure(small(), [{**batch(), "labels": gold}], seed=1), kind)

    def losses(factor: float) -> torch.Tensor:
        model = small().double()
        scale(model, 1, 2, factor)
        return torch.nn.functional.cross_entropy(logits(model), gold, reduction="none")

    slope = (losses(1.001) - losses(0.999)) / 0.002
    assert found[1, 2].item() == pytest.approx(slope.square().mean().item(), rel=1e-3)
    halves = [{k: t[i : i + 2] for k, t in {**batch(), "labels": gold}.items()} for i in (0, 2)]
    assert torch.allclose(getattr(measure(small(), halves, seed=1), kind), found, rtol=1e-3)


def test_answers_drawn_from_the_model_measure_its_divergence_from_itself() -> None:
    """Half the importance is the curvature of the divergence where a gate goes down."""
    one = {name: tensor[1:2] for name, tensor in batch().items()}
    many = {name: tensor.expand(4000, -1) for name, tensor in one.items()}
    found = measure(small(), [many], seed=3).units[2]
    for unit in strongest(found[None], 3)[0]:
        model = small().double()
        before = model(**one).logits.log_softmax(-1)
        scale_unit(model, 2, unit, 0.99)
        after = model(**one).logits.log_softmax(-1)
        divergence = (before.exp() * (before - after)).sum().item()
        assert 0.5 * found[unit].item() * 0.01**2 == pytest.approx(divergence, rel=0.15)


def test_a_duplicate_shares_importance_and_what_leads_nowhere_has_none() -> None:
    gold = {**batch(), "labels": torch.tensor([0, 2, 1, 1])}
    before = measure(small(), [gold], seed=1)
    model = small()
    scale_unit(model, 0, 3, 0)
    scale_head(model, 0, 1, 0)
    assert measure(model, [gold], 1).units[0, 3] == 0 < before.units[0, 3]
    assert measure(model, [gold], 1).heads[0, 1] == 0 < before.heads[0, 1]
    model, layer = small(), 2
    inner = model.roberta.encoder.layer[layer].intermediate.dense
    outer = model.roberta.encoder.layer[layer].output.dense
    with torch.no_grad():  # unit 4 becomes a half of unit 5, in a model without unit 4
        outer.weight[:, 4] = 0
    whole = measure(model, [gold], 1).units[layer, 5]
    with torch.no_grad():
        inner.weight[4], inner.bias[4] = inner.weight[5], inner.bias[5]
        outer.weight[:, 4] = outer.weight[:, 5] = outer.weight[:, 5] / 2
    shared = measure(model, [gold], 1).units[layer]
    assert shared[4].item() == pytest.approx(whole.item() / 4, rel=1e-4)
    assert shared[5].item() == pytest.approx(whole.item() / 4, rel=1e-4)


@pytest.mark.parametrize("head", ["", "TokenClassification", "QuestionAnswering", "MultipleChoice"])
def test_every_head_is_measured_with_labels_or_without(head: str) -> None:
    """And padding counts for nothing."""
    model, inputs = small(head, num_labels=2 if head == "QuestionAnswering" else 3), batch()
    if head == "MultipleChoice":
        inputs = {name: tensor.view(2, 2, -1) for name, tensor in inputs.items()}
    gold: dict[str, torch.Tensor] = {
        "TokenClassification": {"labels": torch.where(inputs["input_ids"] % 2 > 0, 1, -100)},
        "QuestionAnswering": {
            "start_positions": torch.tensor([1, 2, 0, 0]),
            "end_positions": torch.tensor([1, 4, 3, 8]),
        },
        "MultipleChoice": {"labels": torch.tensor([0, 1])},
    }.get(head, {})
    for labels in ({}, gold):
        found = measure(model, [{**inputs, **labels}], seed=1)
        assert found.units.shape == (3, 12) and found.heads.shape == (3, 4)
        assert (found.units > 0).all() and (found.heads > 0).all()
        assert all(0 < influence < 2 for influence in found.influence)
        longer = {name: torch.nn.functional.pad(t, (0, 2)) for name, t in inputs.items()}
        longer["input_ids"][longer["attention_mask"] == 0] = 1
        padded_gold = {
            name: torch.nn.functional.pad(t, (0, 2), value=-100)
            if head == "TokenClassification"
            else t
            for name, t in labels.items()
        }
        if labels or not head:
            again = measure(model, [{**longer, **padded_gold}], seed=1)
            assert torch.allclose(again.units, found.units, rtol=1e-3)


def test_rows_of_labels_are_read_where_they_count() -> None:
    model = small("TokenClassification")
    output = model(**batch())
    labels = torch.full((4, 9), -100)
    labels[:, 1], labels[:, 4] = 2, 0
    found = surprise(output, batch()["attention_mask"], labels, torch.Generator())
    chances = output.logits.log_softmax(-1)
    assert torch.allclose(found, -(chances[:, 1, 2] + chances[:, 4, 0]) / 2)


def test_the_model_is_as_it_was_after_measuring() -> None:
    model = small().train()
    measure(model, [batch()], seed=1)
    assert model.training and not any(p.grad is not None for p in model.parameters())
    assert torch.equal(logits(model), logits(small()))


def test_influence_is_of_direction_and_of_real_tokens() -> None:
    x = torch.randn(2, 5, 8)
    mask = torch.ones(2, 5, dtype=torch.int64)
    assert torch.allclose(block_influence([x, 3 * x, -x], mask), torch.tensor([0.0, 2]), atol=1e-6)
    y = x.clone()
    y[:, 4] = -9
    mask[:, 4] = 0
    assert block_influence([x, y], mask).abs() < 1e-6
    assert least_similar([0.5, 0.1, 0.3, 0.2], 3) == [0, 2, 3]
    assert strongest(torch.tensor([[0.2, 0.9, 0.5], [3, 2, 1]]), 2) == [[1, 2], [0, 1]]


def test_a_layer_that_changes_nothing_goes_first_and_takes_nothing_with_it() -> None:
    model = small(layer_norm_eps=1e-12)
    layer = model.roberta.encoder.layer[1]
    with torch.no_grad():  # states are normalized already, and so pass as they are
        for linear in (layer.attention.output.dense, layer.output.dense):
            linear.weight.zero_()
            linear.bias.zero_()
    influence = measure(model, [batch()], seed=1).influence
    assert abs(influence[1]) < 1e-5 and min(influence[0], influence[2]) > 0.01
    kept = least_similar(influence, 2)
    assert kept == [0, 2]
    assert torch.allclose(logits(cut(model, kept)), logits(model), atol=1e-5)


def test_cut_units_and_heads_are_as_if_gated_to_nothing() -> None:
    units, heads = [[0, 3, 7, 8], [1, 2, 3, 4], [5, 6, 10, 11]], [[0, 2], [], [3, 1, 0, 2]]
    gated = small()
    for layer in range(3):
        for unit in set(range(12)) - set(units[layer]):
            scale_unit(gated, layer, unit, 0)
        for head in heads[layer]:
            scale_head(gated, layer, head, 0)
    pruned = small()
    structure.keep_units(pruned, units)
    assert pruned.config.intermediate_size == 4
    structure.silence_heads(pruned, heads)
    assert structure.silent_heads(pruned) == [sorted(own) for own in heads]
    assert torch.allclose(logits(pruned), logits(gated), atol=1e-5)
    assert not torch.allclose(logits(pruned), logits(small()), atol=1e-2)
    assert structure.drop_silent_heads(pruned) == (2 + 3) * 8 * (4 * 32 + 3)  # a head a layer stays
    assert pruned.roberta.encoder.layer[0].attention.self.query.weight.shape == (16, 32)
    assert torch.allclose(logits(pruned), logits(gated), atol=1e-5)
    assert structure.drop_silent_heads(small()) == 0


def test_a_unit_that_leads_nowhere_is_cut_for_nothing() -> None:
    model = small()
    for layer in range(3):
        scale_unit(model, layer, 5, 0)
    before = logits(model)
    gold = {**batch(), "labels": torch.tensor([0, 2, 1, 1])}
    kept = strongest(measure(model, [gold], 1).units, 11)
    assert kept == [[unit for unit in range(12) if unit != 5]] * 3
    structure.keep_units(model, kept)
    assert torch.allclose(logits(model), before, atol=1e-6)


def test_training_leaves_silent_heads_silent() -> None:
    model = small().train()
    structure.silence_heads(model, [[1], [0, 3], []])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    start = model.roberta.encoder.layer[0].attention.self.query.weight.clone()
    for _ in range(3):
        optimizer.zero_grad()
        model(**batch(), labels=torch.tensor([0, 2, 1, 1])).loss.backward()
        optimizer.step()
    assert structure.silent_heads(model) == [[1], [0, 3], []]
    after = model.roberta.encoder.layer[0].attention.self.query.weight
    assert (after[8:16] == 0).all() and not torch.allclose(after, start)


@given(st.integers(1, 64), st.data())
def test_rounds_end_at_the_size_asked_for(there: int, drawn: st.DataObject) -> None:
    goal, rounds = drawn.draw(st.integers(1, there)), drawn.draw(st.integers(1, 5))
    sizes = [share(there, goal, number, rounds) for number in range(1, rounds + 1)]
    assert sizes[-1] == goal and sizes == sorted(sizes, reverse=True) and sizes[0] <= there


def test_sizes_are_numbers_or_shares() -> None:
    assert (wanted("ffn", 0.5, 12), wanted("ffn", 3, 12), wanted("ffn", None, 12)) == (6, 3, 12)
    assert wanted("heads", 0.01, 12) == 1
    with pytest.raises(PruneError, match=r"ffn: 13: the model has 12; ask for 1 to 12"):
        wanted("ffn", 13, 12)


def test_an_unknown_family_is_named() -> None:
    import transformers

    model = transformers.ElectraModel(
        transformers.ElectraConfig(
            vocab_size=9, hidden_size=8, embedding_size=8, num_hidden_layers=1,
            num_attention_heads=2, intermediate_size=8,
        )
    )  # fmt: skip
    with pytest.raises(UnknownNameError, match="unknown model family 'electra'"):
        structure.silent_heads(model)
    assert structure.drop_silent_heads(model) == 0


def test_importance_text_is_english_with_labels_and_all_languages_without(tiny_nli: Path) -> None:
    found = importance_batches(
        tiny_nli,
        [TASKS.get("xnli")],
        EMBEDDED,
        count=33,
        max_length=40,
        batch_size=8,
        max_pairs=50,
        seed=1,
    )
    labelled = sum(len(b["labels"]) for b in found if "labels" in b)
    plain = sum(len(b["input_ids"]) for b in found if "labels" not in b)
    assert labelled == 33 and plain == 33  # three of each of the eleven languages
    assert all(b["input_ids"].shape[1] <= 40 and len(b["input_ids"]) <= 8 for b in found)


@pytest.fixture(scope="module")
def trained(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An XNLI checkpoint that was trained until it is right in three rows of five."""
    from quick import options

    from transfer.loop.fit import Settings
    from transfer.supervised.train_tasks import train_tasks

    folder = tmp_path_factory.mktemp("trained")
    quick = options(
        method="full", max_steps=125, batch_size=16, max_length=48, max_examples=2000,
        method_options={}, settings=Settings(1e-3, seed=1, compute="fp32"),
    )  # fmt: skip
    train_tasks(
        tiny_base, [TASKS.get("xnli")], EMBEDDED, quick, work=folder / "work", out=folder / "out"
    )
    return folder / "out"


def test_it_is_better_than_chance_at_equal_size(trained: Path, tmp_path: Path) -> None:
    prune(
        trained,
        [TASKS.get("xnli")],
        EMBEDDED,
        PruneOptions(
            Size(units=0.25, heads=1), None, importance_rows=96, max_length=48, max_pairs=50, seed=1
        ),
        work=tmp_path / "work",
        out=tmp_path / "own",
    )
    session = Session(open_model(trained))
    probe = sample(session.tokenizer, 64, TASKS.get("xnli"), EMBEDDED, 8)
    own = outputs.compare(session, open_model(tmp_path / "own"), probe).mean
    chance = []
    for seed in range(6):
        rng, model = random.Random(seed), load_checkpoint(trained)
        structure.keep_units(model, [sorted(rng.sample(range(128), 32)) for _ in range(2)])
        structure.silence_heads(model, [[rng.randrange(2)] for _ in range(2)])
        model.save_pretrained(tmp_path / f"{seed}")
        copy_tokenizer(trained, tmp_path / f"{seed}")
        chance.append(outputs.compare(session, open_model(tmp_path / f"{seed}"), probe).mean)
    assert own < 0.75 * sum(chance) / len(chance)


def context(model: Path, folder: Path) -> StageContext:
    out = folder / "out"
    out.mkdir()
    return StageContext(
        out=out, work=folder / "work",
        inputs={"model": (Input("m", model, Artifact("checkpoint", "xnli")),)},
        data=EMBEDDED, seed=1, recipe="r",
    )  # fmt: skip


def config(**fields: Any) -> Config:
    chosen = {"tasks": ("xnli",), "importance_rows": 24, "max_pairs": 30, "max_length": 48} | fields
    return Config(name="p", stage="prune", model="m", **chosen)


def test_the_stage_prunes_in_rounds_and_plain_transformers_opens_it(
    tiny_nli: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForSequenceClassification

    asked = config(
        ffn=0.25, heads=1, layers=1, rounds=2, max_steps=3, max_length=500, probe=4,
        min_agreement=0.0, batch_size=8, compute="fp32",
    )  # fmt: skip
    summary = run(asked, context(tiny_nli, tmp_path))
    model, info = AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "out", output_loading_info=True
    )
    assert not any(info.values())
    assert model.config.intermediate_size == 32 and model.config.num_hidden_layers == 1
    assert model.roberta.encoder.layer[0].intermediate.dense.weight.shape == (32, 64)
    assert summary["parameters"] == sum(parameters(model).values())
    assert summary["parameters"] == model_size.parameter_counts(tmp_path / "out")[0]
    assert summary["of these silent"] == 32 * (4 * 64 + 3)
    record = json.loads((tmp_path / "out" / RECORD).read_text())
    (layer,) = record["layers"]
    assert record["influence"][layer] == max(record["influence"])
    assert summary["layers kept"] == f"{layer} of 2"
    assert len(set(record["units"][0])) == 32 and max(record["units"][0]) < 128
    assert structure.silent_heads(model) == [[1 - record["heads"][0][0]]]
    assert {"agreement %", "similarity by layer"} <= summary.keys()


def test_named_layers_are_kept_whatever_changes_its_input_most(
    tiny_nli: Path, tmp_path: Path
) -> None:
    for layer in (0, 1):
        out = tmp_path / str(layer)
        out.mkdir()
        run(config(layers=(layer,), epochs=0, probe=0), context(tiny_nli, out))
        whole, kept = load_checkpoint(tiny_nli), load_checkpoint(out / "out")
        expected = whole.roberta.encoder.layer[layer].state_dict()
        found = kept.roberta.encoder.layer[0].state_dict()
        assert all(torch.equal(found[name], value) for name, value in expected.items())
        assert json.loads((out / "out" / RECORD).read_text())["layers"] == [layer]


def test_the_record_numbers_what_is_kept_as_the_model_had_it(trained: Path, tmp_path: Path) -> None:
    prune(
        trained,
        [TASKS.get("xnli")],
        EMBEDDED,
        PruneOptions(
            Size(units=16, layers=1),
            None,
            rounds=3,
            importance_rows=24,
            max_length=48,
            max_pairs=20,
            seed=1,
        ),
        work=tmp_path / "work",
        out=tmp_path / "out",
    )
    record = json.loads((tmp_path / "out" / RECORD).read_text())
    before, after = (load_checkpoint(path).roberta.encoder for path in (trained, tmp_path / "out"))
    (layer,), (units,) = record["layers"], record["units"]
    assert sum(unit >= 16 for unit in units) > 4
    own, other = after.layer[0], before.layer[layer]
    assert torch.equal(own.intermediate.dense.weight, other.intermediate.dense.weight[units])
    assert torch.equal(own.output.dense.weight, other.output.dense.weight[:, units])


def test_recovery_brings_outputs_back(trained: Path, tmp_path: Path) -> None:
    session = Session(open_model(trained))
    probe = sample(session.tokenizer, 64, TASKS.get("xnli"), EMBEDDED, 8)
    found = []
    recovery = distillation(multilingual=0.5, max_steps=40, max_length=48)
    for name, options in (("none", None), ("some", recovery)):
        out = tmp_path / name
        prune(
            trained,
            [TASKS.get("xnli")],
            EMBEDDED,
            PruneOptions(
                Size(units=4, heads=1),
                options,
                importance_rows=48,
                max_length=48,
                max_pairs=50,
                seed=1,
            ),
            work=tmp_path / "work",
            out=out,
        )
        found.append(outputs.compare(session, open_model(out), probe).mean)
    assert found[1] < 0.6 * found[0]


def test_a_bundle_has_no_silent_heads(trained: Path, tmp_path: Path) -> None:
    small_dir = tmp_path / "pruned"
    prune(
        trained,
        [TASKS.get("xnli")],
        EMBEDDED,
        PruneOptions(Size(heads=1), None, importance_rows=16, max_length=48, max_pairs=20, seed=1),
        work=tmp_path / "work",
        out=small_dir,
    )
    probe = Probe(TASKS.get("xnli"), EMBEDDED, 4)
    result, _ = export(
        small_dir,
        tmp_path / "bundle",
        precision="fp32",
        probe=probe,
        options=ExportOptions(whole_last_layer=True),
    )
    assert result is not None and result.maximum < 1e-4
    removed = 2 * 32 * (4 * 64 + 3)
    card = json.loads((tmp_path / "bundle" / "bundle.json").read_text())
    assert card["parameters"] == model_size.parameter_counts(small_dir)[0] - removed
    whole, cut = (flops.of_directory(path) for path in (small_dir, tmp_path / "bundle"))
    missing = 2 * 7 * 2 * 32 * (4 * 64 + 2 * 7)  # of a head of 32 in each of two layers
    assert card["heads"] == [1, 1] and flops.encoder(read_config(small_dir)) == whole
    assert flops.operations(whole, 1, 7) - flops.operations(cut, 1, 7) == missing
    session = Session(open_model(small_dir))
    bundle = open_model(tmp_path / "bundle")
    texts = probe.sequences(session.tokenizer, 64)
    assert outputs.compare(session, bundle, texts).maximum < 1e-4  # of the checkpoint as it lies
    stored = model_size.sizes(tmp_path / "bundle")[0] - 4 * card["parameters"]
    assert 0 < stored < 60_000  # the graph, and no zeros


def test_the_stages_mistakes_and_gate(tiny_nli: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give ffn, heads or layers"):
        config()
    for wrong in (0, 1.5, -0.5, 1.0):
        with pytest.raises(ValueError, match="or a share between 0 and 1"):
            config(ffn=wrong)
    for wrong_layers in (0, (), (1, 0), (1, 1), (-1, 0)):
        with pytest.raises(ValueError, match="or rising layer numbers from 0"):
            config(layers=wrong_layers)
    with pytest.raises(ValueError, match="set epochs: 0 for no recovery"):
        config(ffn=3, logits=0, hidden=0)
    with pytest.raises(ValueError, match="multilingual: nothing is matched on text without labels"):
        config(ffn=3, logits=0, hidden=0, labels=1)
    config(ffn=3, logits=0, hidden=0, labels=1, multilingual=0)
    model = {"model": [Artifact("checkpoint", "xnli")]}
    gives = check(config(ffn=3), model)
    assert (gives.kind, gives.task) == ("checkpoint", "xnli")
    needs = [need.split for need in data(config(ffn=3), gives)]
    assert needs == ["train", "parallel", "held out", "eval"]
    with pytest.raises(StageInputError, match="udpos has other labels than the model's xnli"):
        check(config(ffn=3, tasks=("udpos",)), model)
    assert cost(config(ffn=3, rounds=2, max_steps=9)) == "2 x 9 steps"
    assert cost(config(ffn=3, epochs=0)) == "minutes"
    asked = config(ffn=1, layers=1, epochs=0, probe=4, min_agreement=100)
    with pytest.raises(GateError, match=r"prune: .*\n.*\nkeep more, recover for longer"):
        run(asked, context(tiny_nli, tmp_path))
    (tmp_path / "two").mkdir()
    with pytest.raises(PruneError, match="layers: 3: the model has 2"):
        run(config(layers=3), context(tiny_nli, tmp_path / "two"))
    (tmp_path / "five").mkdir()
    with pytest.raises(StudentError, match=r"layers: \(0, 5\): the teacher has the layers 0 to 1"):
        run(config(layers=(0, 5)), context(tiny_nli, tmp_path / "five"))
