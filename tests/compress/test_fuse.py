"""Adapters combined, and their weights searched."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from adapters import configure, redrawn
from peft import PeftModel
from quick import options
from safetensors.torch import load_file, save_file

from compress.errors import FuseError
from compress.fuse.adapters import attached
from compress.fuse.combinations import Combination
from compress.fuse.combine import How, Mixer
from compress.fuse.fuse import Mix, fuse
from compress.fuse.weight_search import Search, best
from evalsuite.inference.probe_text import Probe
from evalsuite.inference.session import Session
from evalsuite.registry import TASKS
from evalsuite.retrieval.declared_vectors import declared_by
from evalsuite.runtimes.torch import load_checkpoint
from evalsuite.task import DataSource
from recipes.stages import fuse as stage
from recipes.stages._shared.contract import (
    Artifact,
    Input,
    StageContext,
)
from transfer.loop.fit import Settings
from transfer.models import checkpoints
from transfer.models.adapters import Adapter
from transfer.models.sentence_files import declare_vectors
from transfer.objectives.sentence_vectors import SentenceVectors
from transfer.supervised.train_tasks import train_tasks

EMBEDDED = DataSource("embedded")
UDPOS = TASKS.get("udpos")
VECTORS = SentenceVectors(pooling="cls", prefix="query: ", passage_prefix="passage: ")
IDS = torch.arange(5, 17)[None]


def logits(checkpoint: Path) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = load_checkpoint(checkpoint)(input_ids=IDS).logits
        return found


def deltas(adapter: Adapter) -> dict[str, torch.Tensor]:
    """The update of each layer, scale included."""
    model = attached(adapter, UDPOS, "original")
    return {
        name: module.get_delta_weight("default")
        for name, module in model.get_base_model().named_modules()
        if hasattr(module, "get_delta_weight")
    }


def mixed(adapters: list[Path], weights: tuple[float, ...], out: Path, how: How) -> Adapter:
    return Mixer([Adapter.read(path) for path in adapters], UDPOS, how).write(weights, out)


@pytest.fixture(scope="module")
def tagger(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter (rank 4) that has learnt some English tags."""
    folder = tmp_path_factory.mktemp("tagger")
    quick = options(
        max_steps=40,
        batch_size=16,
        max_examples=300,
        settings=Settings(1e-2, seed=1, compute="fp32"),
        method_options={"rank": 4, "alpha": 8, "targets": ("query", "value", "dense")},
    )
    train_tasks(tiny_base, [UDPOS], EMBEDDED, quick, work=folder / "work", out=folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def noise(tagger: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same head over updates of noise."""
    return redrawn(tagger, tmp_path_factory.mktemp("noise") / "out", seed=7, std=0.5)


@pytest.mark.parametrize("combine", ["cat", "linear", "svd"])
def test_all_of_one_adapter_and_none_of_another_is_the_one(
    tagger: Path, noise: Path, tmp_path: Path, combine: Combination
) -> None:
    fuse(tagger, UDPOS, tmp_path / "alone")
    mix = Mix((noise,), (1.0, 0.0), How(combine))
    fused = fuse(tagger, UDPOS, tmp_path / "both", mix=mix, probe=Probe(UDPOS, EMBEDDED, 4))
    alone = logits(tmp_path / "alone")
    assert torch.allclose(logits(tmp_path / "both"), alone, atol=1e-4)
    assert fused.drift["dequantized"].maximum < 1e-4  # beside the combined adapter, live
    fuse(tagger, UDPOS, tmp_path / "half", mix=Mix((noise,), (0.5, 0.5), How(combine)))
    assert not torch.allclose(logits(tmp_path / "half"), alone, atol=0.1)


def test_cat_is_the_weighted_sum_of_updates_of_any_rank_and_scale(
    tagger: Path, tmp_path: Path
) -> None:
    other = redrawn(tagger, tmp_path / "other", seed=1, std=0.2, use_rslora=True, lora_alpha=3)
    one, two = deltas(Adapter.read(tagger)), deltas(Adapter.read(other))
    for first, second in ((tagger, other), (other, tagger)):  # a peft config comes from the first
        both = deltas(mixed([first, second], (0.5, -2.0), tmp_path / f"cat-{first.name}", How()))
        assert both.keys() == one.keys()
        a, b = (one, two) if first is tagger else (two, one)
        for name, delta in both.items():
            assert torch.allclose(delta, 0.5 * a[name] - 2.0 * b[name], atol=1e-5)
    exact = deltas(mixed([tagger, other], (0.5, -2.0), tmp_path / "svd", How("svd", rank=8)))
    assert all(
        torch.allclose(exact[name], 0.5 * one[name] - 2.0 * two[name], atol=1e-5) for name in one
    )
    rough = deltas(mixed([tagger, other], (0.5, 2.0), tmp_path / "linear", How("linear")))
    assert not any(torch.allclose(rough[n], 0.5 * one[n] + 2 * two[n], atol=1e-3) for n in one)


def test_the_combined_adapter_opens_in_peft_with_the_first_ones_head(
    tagger: Path, noise: Path, tiny_base: Path, tmp_path: Path
) -> None:
    tensors = load_file(noise / "adapter_model.safetensors")
    other = tmp_path / "other"
    shutil.copytree(noise, other)
    heads = {key: value for key, value in tensors.items() if ".lora_" not in key}
    assert heads
    save_file(
        {key: torch.zeros_like(value) if key in heads else value for key, value in tensors.items()},
        other / "adapter_model.safetensors",
    )
    made = mixed([tagger, other], (0.7, 0.3), tmp_path / "out", How())
    base, _ = checkpoints.load(tiny_base, UDPOS)
    model = PeftModel.from_pretrained(base, made.directory)
    kept = model.get_base_model().classifier.modules_to_save["default"]
    assert torch.equal(kept.weight, heads["base_model.model.classifier.weight"])


@pytest.mark.parametrize("combine", ["ties", "dare_linear", "dare_ties_svd", "magnitude_prune_svd"])
def test_sparse_combinations_run_and_follow_their_seed(
    tagger: Path, noise: Path, combine: Combination
) -> None:
    adapters = [Adapter.read(tagger), Adapter.read(noise)]
    mixer = Mixer(adapters, UDPOS, How(combine, density=0.5, seed=1))
    state = torch.get_rng_state()
    first, again = mixer.mixed((0.6, 0.4)), mixer.mixed((0.6, 0.4))
    assert torch.equal(state, torch.get_rng_state())
    assert first.keys() == load_file(tagger / "adapter_model.safetensors").keys()
    assert all(torch.equal(first[key], again[key]) for key in first)
    mixer.how = How(combine, density=0.5, seed=2)
    other = mixer.mixed((0.6, 0.4))
    random = combine.startswith("dare")
    assert random == any(not torch.equal(first[key], other[key]) for key in first)
    mixer.how = How(combine, density=0.1, seed=1)
    thin = mixer.mixed((0.6, 0.4))
    assert any(not torch.equal(first[key], thin[key]) for key in first)


def test_encoder_adapters_are_combined_without_a_head(tiny_base: Path, tmp_path: Path) -> None:
    found = []
    for seed, targets in ((1, ("query", "dense")), (2, ("value",))):
        folder = tmp_path / str(seed)
        quick = options(
            settings=Settings(1e-2, seed=seed, compute="fp32"),
            method_options={"rank": 4, "targets": targets},
        )
        tasks = [UDPOS, TASKS.get("xnli")]
        train_tasks(tiny_base, tasks, EMBEDDED, quick, work=folder / "work", out=folder / "out")
        found.append(folder / "out")
    declare_vectors(VECTORS, tiny_base, found[0])
    mix = Mix((found[1],), (0.5, 0.5))
    fused = fuse(
        found[0], None, tmp_path / "out", mix=mix, probe=Probe(TASKS.get("tatoeba"), EMBEDDED, 4)
    )
    assert fused.drift["dequantized"].agreement > 99.999
    assert declared_by(tmp_path / "out").pooling == "cls"  # as the first adapter declares
    model, base = load_checkpoint(tmp_path / "out"), load_checkpoint(tiny_base)
    for name in ("query", "value"):  # of either adapter
        one, two = (getattr(m.encoder.layer[1].attention.self, name).weight for m in (model, base))
        assert not torch.equal(one, two)
    with pytest.raises(FuseError, match="needs an adapter with a task's head"):
        how = Search(UDPOS, EMBEDDED, 4, 8, seed=0)
        fuse(found[0], None, tmp_path / "no", mix=Mix((found[1],), how))


def test_an_encoders_adapter_joins_one_with_a_head(
    tagger: Path, tiny_base: Path, tmp_path: Path
) -> None:
    quick = options(method_options={"rank": 4, "targets": ("dense",)})
    tasks = [UDPOS, TASKS.get("xnli")]
    work, out = tmp_path / "work", tmp_path / "encoder"
    train_tasks(tiny_base, tasks, EMBEDDED, quick, work=work, out=out)
    redrawn(out, tmp_path / "other", 1, 0.2)
    alone = deltas(Adapter.read(tagger))
    both = deltas(mixed([tagger, tmp_path / "other"], (1.0, 1.0), tmp_path / "out", How()))
    assert alone.keys() == both.keys()
    dense = next(name for name in both if "intermediate" in name)
    assert not torch.allclose(both[dense], alone[dense], atol=1e-3)


def test_a_search_picks_the_adapter_that_is_not_noise(
    tagger: Path, noise: Path, tmp_path: Path
) -> None:
    how = Search(UDPOS, EMBEDDED, trials=7, rows=60, seed=3)
    fused = fuse(noise, UDPOS, tmp_path / "out", mix=Mix((tagger,), how))  # the head is the same
    assert fused.found is not None
    tried = fused.found.tried
    assert list(tried)[:4] == [(1.0, 0.0), (0.0, 1.0), (0.5, 0.5), (1.0, 1.0)]
    assert len(tried) == 7 and fused.found.rows == 60
    assert tried[0.0, 1.0] > tried[1.0, 0.0] + 10
    own = fused.found.weights
    assert tried[own] == max(tried.values()) and own[1] > own[0]
    rows = UDPOS.load(EMBEDDED, "dev", "en")
    alone = fuse(tagger, UDPOS, tmp_path / "alone", scored=Probe(UDPOS, EMBEDDED, 5))
    assert alone.scores["live"] == alone.scores["dequantized"]
    from evalsuite.inference.open_model import open_model
    from evalsuite.inference.probe_text import spread

    session = Session(open_model(tmp_path / "alone"))  # a trial's score is the model's
    assert session.score(UDPOS, "en", spread(rows, 60)) == pytest.approx(tried[0.0, 1.0], abs=0.5)
    again = fuse(noise, UDPOS, tmp_path / "again", mix=Mix((tagger,), how))
    assert again.found == fused.found
    facts = fused.found.facts()
    assert facts["weights chosen by"] == "English dev alone, 60 rows"
    assert facts["tried 1, 0"] == round(tried[1.0, 0.0], 3)


def test_a_search_asks_for_each_weights_once_and_repeats_under_its_seed() -> None:
    asked: list[tuple[float, ...]] = []

    def score(weights: tuple[float, ...]) -> float:
        asked.append(weights)
        return -abs(weights[0] - 0.8) - abs(weights[1] - 0.3) - weights[2]

    found, tried = best(score, 3, 20, seed=5)
    assert len(asked) == len(set(asked)) == len(tried) == 20 and (0, 0, 0) not in tried
    assert asked[:5] == [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.3, 0.3, 0.3), (1, 1, 1)]
    assert score(found) > -0.7  # of the five that come first the best has -1
    assert best(score, 3, 20, seed=5) == (found, tried)
    assert best(score, 3, 20, seed=6)[1].keys() != tried.keys()
    assert best(lambda weights: 1.0, 2, 6, seed=0)[0] == (1.0, 0.0)  # of equals the first
    assert len(best(lambda weights: 1.0, 1, 50, seed=0)[1]) <= 10  # there are no more


def test_adapters_that_do_not_go_together_are_all_named(
    tagger: Path, tiny_adapter: Path, tiny_nli: Path, tmp_path: Path
) -> None:
    def said(*others: Path, combine: Combination = "cat") -> str:
        with pytest.raises(FuseError) as error:
            fuse(
                tagger,
                UDPOS,
                tmp_path / "out",
                mix=Mix(others, (1.0,) * (1 + len(others)), How(combine)),
            )
        return str(error.value)

    assert f"{tiny_adapter} was trained with precision: nf4, {tagger} with fp32; train all" in said(
        tiny_adapter
    )
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(tagger, elsewhere)
    configure(elsewhere, base_model_name_or_path=str(tiny_nli), r=8)
    text = said(elsewhere, tiny_adapter, combine="linear")
    assert f"{elsewhere} was trained on another base than {tagger} ({tiny_nli}, not " in text
    assert "combine: linear needs adapters of one rank, these have 4, 8; use cat or svd" in text
    assert "precision: nf4" in text and not (tmp_path / "out").exists()
    odd = tmp_path / "odd"
    shutil.copytree(tagger, odd)
    configure(odd, use_dora=True, bias="all", init_lora_weights="pissa")
    assert "has bias, init_lora_weights in its config" in said(odd)
    assert f"{odd} was trained with dora, whose magnitudes no sum of updates can say" in said(odd)
    configure(odd, peft_type="IA3")
    assert f"{odd} is IA3, and LoRA is combined" in said(odd)
    assert "no adapter_config.json" in said(tiny_nli)
    same = tmp_path / "same"
    shutil.copytree(tagger, same)
    with pytest.raises(FuseError, match="weights: 3 for 2 adapters"):
        fuse(tagger, UDPOS, tmp_path / "out", mix=Mix((same,), (1.0, 1.0, 1.0)))
    with pytest.raises(FuseError, match=r"rank: 1000 is more than the 64 there are in .*lower it"):
        mix = Mix((same,), (1.0, 1.0), How("svd", rank=1000))
        fuse(tagger, UDPOS, tmp_path / "out", mix=mix)
    with pytest.raises(FuseError, match="needs English dev rows of mnli, and the source embedded"):
        how = Search(get_intermediate(), EMBEDDED, 4, 8, seed=0)
        fuse(tagger, UDPOS, tmp_path / "out", mix=Mix((same,), how))


def get_intermediate() -> Any:
    from transfer.registry import INTERMEDIATE_TASKS

    return INTERMEDIATE_TASKS.get("mnli")


def test_the_stage_says_what_was_chosen_lost_and_scored(
    tagger: Path, noise: Path, tmp_path: Path
) -> None:
    keys = {"weights": "search", "trials": 4, "dev_examples": 20, "requantize": "int8"}
    config = stage.Config(name="f", stage="fuse", model="m", probe=2, score_rows=3, **keys)
    given = Artifact("adapter", "udpos")
    context = StageContext(
        out=tmp_path / "out",
        work=tmp_path / "work",
        inputs={
            "model": (Input("m", tagger, given),),
            "others": (Input("n", noise, given),),
        },
        data=EMBEDDED,
        seed=1,
        recipe="r",
    )
    summary = stage.run(config, context)
    assert summary["combined by"] == "cat" and summary["weights"] == "1, 0"
    assert summary["English dev score"] == summary["tried 1, 0"]
    assert len([name for name in summary if name.startswith("tried ")]) == 4
    for name in ("dequantized", "requantized"):
        assert {f"{name}: agreement %", f"{name}: score change"} <= summary.keys()
    assert "live: score" in summary and "original: score" not in summary  # an fp32 base
    assert float(summary["requantized: update error %"]) > 0
