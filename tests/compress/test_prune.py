"""Pruning: what is left, how it recovers, what is better than chance; the stage."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from checkpoints import small
from hypothesis import given
from hypothesis import strategies as st
from quick import distillation

from compress.distill import distill as distilling
from compress.distill.elastic_cuts import KEY, Cuts, declare
from compress.distill.student_batch import Match
from compress.errors import GateError, PruneError, StudentError
from compress.export.export import export
from compress.export.graph import ExportOptions
from compress.prune import structure
from compress.prune.importance_text import importance_batches
from compress.prune.prune import RECORD, PruneOptions, Size, parameters, prune
from compress.prune.rules import share, wanted
from evalsuite.agreement import outputs
from evalsuite.bench import flops
from evalsuite.errors import DataError
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.inference.open_model import open_model
from evalsuite.inference.probe_text import Probe, sample
from evalsuite.inference.session import Session
from evalsuite.machine import model_size
from evalsuite.registry import TASKS
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.planning.data_digests import digest_need
from recipes.stages._shared.contract import (
    PARALLEL,
    PARALLEL_IF_ANY,
    Artifact,
    CutSizes,
    Input,
    StageContext,
)
from recipes.stages.prune import Config, check, cost, data, run, unused_keys
from transfer.models.checkpoints import copy_tokenizer

EMBEDDED = DataSource("embedded")


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
    idle = {"quantize_aware": "int8", "labels": 1, "uncased": 0.5, "max_steps": 9}
    said = "labels, max_steps, freeze_embeddings, uncased, quantize_aware: with epochs: 0 nothing"
    (problem,) = unused_keys(config(ffn=3, epochs=0, freeze_embeddings=True, **idle))
    assert problem == f"{said} is trained; remove them, or set epochs above 0"
    assert not unused_keys(config(ffn=3, freeze_embeddings=True, **idle))
    (problem,) = unused_keys(config(ffn=3, epochs=0, temperature=3, warmup=0.2, compute="bf16"))
    assert problem.startswith("temperature, warmup, compute: with epochs: 0 nothing is trained")
    assert not unused_keys(config(ffn=3, epochs=0, multilingual=0, code_switch=0))  # all off
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
    switched = data(config(ffn=3, multilingual=0, code_switch=0.5), gives)
    assert PARALLEL in switched and PARALLEL not in data(config(ffn=3, multilingual=0), gives)
    chosen = {"model": [Artifact("checkpoint", "xcopa")]}
    with pytest.raises(StageInputError, match="a line of text is one choice, so logits teach"):
        check(config(ffn=3, tasks=("xcopa",), hidden=0), chosen)
    check(config(ffn=3, tasks=("xcopa",), hidden=0, multilingual=0), chosen)
    assert cost(config(ffn=3, rounds=2, max_steps=9)) == "2 x 9 steps"
    assert cost(config(ffn=3, epochs=0)) == "minutes"
    assert cost(config(ffn=3)) == "1 epochs" and config(ffn=3, epochs=None).epochs == 1
    assert config(ffn=3, max_steps=9).epochs is None  # which may be more than one pass
    assert cost(config(ffn=3, max_steps=9, epochs=2)) == "2 epochs, at most 9 steps"
    asked = config(ffn=1, layers=1, epochs=0, probe=4, min_agreement=100)
    with pytest.raises(GateError, match=r"prune: .*\n.*\nkeep more, recover for longer"):
        run(asked, context(tiny_nli, tmp_path))
    (tmp_path / "two").mkdir()
    with pytest.raises(PruneError, match="layers: 3: the model has 2"):
        run(config(layers=3), context(tiny_nli, tmp_path / "two"))
    (tmp_path / "five").mkdir()
    with pytest.raises(StudentError, match=r"layers: \(0, 5\): the model has the layers 0 to 1"):
        run(config(layers=(0, 5)), context(tiny_nli, tmp_path / "five"))


def test_an_encoder_with_fewer_layers_is_compared_by_its_last_states(
    tiny_base: Path, tmp_path: Path
) -> None:
    asked = config(layers=1, epochs=0, probe=4)
    summary = run(asked, context(tiny_base, tmp_path))
    assert any("hidden" in key or "difference" in key for key in summary), summary


@pytest.mark.parametrize(("layers", "matched"), [(2, 3), ((0, 1), 1)])
def test_the_top_layer_of_those_that_importance_keeps_is_matched_to_the_top(
    layers: Any, matched: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that a recipe names are matched to what they were."""
    seen: list[Sequence[int]] = []
    made = Match.of

    def of(teacher: Any, student: Any, chosen: Sequence[int], *more: Any) -> Match:
        seen.append(chosen)
        return made(teacher, student, chosen, *more)

    monkeypatch.setattr(distilling.Match, "of", of)
    model = small(tmp_path / "model", layers=4)
    options = PruneOptions(
        Size(layers=layers), recovery=distillation(hidden=1.0, max_steps=1), seed=1,
        importance_rows=4,
    )  # fmt: skip
    prune(model, [TASKS.get("xnli")], EMBEDDED, options, work=tmp_path / "w", out=tmp_path / "o")
    assert [chosen[-1] for chosen in seen] == [matched]


def test_a_pruned_student_has_no_cuts(tiny_nli: Path, tmp_path: Path) -> None:
    elastic = tmp_path / "elastic"
    shutil.copytree(tiny_nli, elastic)
    model = load_checkpoint(elastic)
    declare(model.config, Cuts(((0, 1), (1,)), (128,)))
    model.save_pretrained(elastic)
    assert KEY in read_config(elastic)
    run(config(layers=1, epochs=0, probe=0), context(elastic, tmp_path))
    assert KEY not in read_config(tmp_path / "out")
    cuts = CutSizes((6, 4, 3), (1536, 768))
    given = Artifact("checkpoint", "xnli", family="xlm-roberta", cuts=cuts)
    assert check(config(layers=5), {"model": [given]}).cuts == CutSizes((), ())


@pytest.mark.parametrize("kind", ["files", "hub"])
def test_a_source_without_multilingual_text_will_do(
    kind: Literal["files", "hub"], tiny_nli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = DataSource(kind)
    assert digest_need(PARALLEL_IF_ANY, source) == "no parallel text"
    with pytest.raises(DataError, match=f"source: {kind} has none"):
        digest_need(PARALLEL, source)
    task = TASKS.get("xnli")
    rows = task.load(EMBEDDED, "train", "en")
    monkeypatch.setattr(type(task), "load", lambda *asked: rows)
    found = importance_batches(
        tiny_nli, [task], source, count=8, max_length=40, batch_size=8, max_pairs=50, seed=1
    )
    assert [len(batch["labels"]) for batch in found] == [8]
