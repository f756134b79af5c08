"""Factored word embeddings: rows that a layer norm keeps, what is lost, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_families import tiny_config, tiny_inputs, tiny_model
from torch.nn.functional import layer_norm

from compress.errors import FactorError
from compress.factor.directions import directions
from compress.factor.level_rows import level_rows, level_shifts
from compress.factor.make import factored, make
from compress.factor.rules import FAMILIES, entries
from evalsuite import tokenization
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.opening.tokenizer import tokenizer_of
from evalsuite.plain_config import plain_config
from evalsuite.retrieval.declared_vectors import declared_by
from evalsuite.runtimes.torch import load_checkpoint
from recipes.errors import StageInputError
from recipes.run import run_recipe
from recipes.stages import factor
from recipes.stages._shared.contract import Artifact
from recipes.stages._shared.planned_model import PlannedModel
from transfer.models.sentence_files import declare_vectors
from transfer.objectives.sentence_vectors import SentenceVectors

LINES = ["The dog sleeps.", "The dog eats.", "Der Hund schläft."]


def full_width(name: str) -> dict[str, int]:
    return {"embedding_size": 32} if name == "electra" else {}


def test_a_layer_norm_keeps_the_rows() -> None:
    components = torch.randn(3000, 14) * torch.rand(3000, 1)
    components[7] *= 50  # an outlier
    level = level_rows(components)
    assert level.table.shape == (3000, 16)
    torch.testing.assert_close(layer_norm(level.table, (16,)), level.table, atol=2e-4, rtol=1e-4)
    assert level.shortened.nonzero().flatten().tolist() == [7]
    others = ~level.shortened
    torch.testing.assert_close(level.table[others, :14], components[others] * level.scale)
    turned = layer_norm(components[7], (14,)) @ layer_norm(level.table[7, :14], (14,)) / 14
    assert turned == pytest.approx(1, abs=1e-4)  # shortened, not turned
    shifts = level_shifts(torch.randn(5, 14))
    assert shifts.shape == (5, 16) and shifts.mean(1).abs().max() < 1e-6


def test_rows_of_zeros_are_level_too() -> None:
    table = level_rows(torch.zeros(4, 6)).table
    assert torch.isfinite(table).all() and table[:, :6].abs().max() == 0


@pytest.mark.parametrize("head", [None, "tagging", "span"])
@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_is_lost_at_full_rank(name: str, head: str | None) -> None:
    """One position's and one type's rows for all, because their shift is a mean otherwise."""
    model = tiny_model(name, head, **full_width(name))
    for kind in ("position", "token_type"):
        rows = model.base_model.embeddings.get_submodule(f"{kind}_embeddings").weight
        rows.data[:] = rows.data[-1]
    small, lost = factored(model, head, torch.arange(1.0, 61), width=34)
    assert small.config.model_type == "electra" and lost == pytest.approx(0, abs=1e-6)
    inputs = tiny_inputs()
    real = inputs["attention_mask"].bool()
    with torch.no_grad():
        whole, own = (one(**inputs, output_hidden_states=True) for one in (model, small))
    for state, other in zip(own.hidden_states, whole.hidden_states, strict=True):
        torch.testing.assert_close(state[real], other[real], atol=1e-3, rtol=1e-3)
    if head == "tagging":
        torch.testing.assert_close(own.logits[real], whole.logits[real], atol=1e-3, rtol=1e-3)


def test_positions_and_types_are_near_what_they_were() -> None:
    model = tiny_model("bert", None)
    small, _ = factored(model, None, torch.ones(60), width=34)
    ids, types = tiny_inputs()["input_ids"], torch.tensor([[0, 0, 0, 0, 1, 1, 1, 1, 1]] * 3)
    with torch.no_grad():
        wanted = model.embeddings(ids, types)
        found = small.embeddings_project(small.embeddings(ids, types))
        other = small.embeddings_project(small.embeddings(ids, 1 - types))
    assert (found - wanted).norm() < 0.4 * wanted.norm() < 0.8 * (other - wanted).norm()


def test_frequent_pieces_are_nearer_than_rare_ones() -> None:
    random = torch.Generator().manual_seed(1)
    vectors, counts = torch.randn(400, 32, generator=random), torch.ones(400)
    counts[:40] = 10_000
    found = directions(vectors, counts, 12)
    centred = vectors - found.mean.float()
    basis = found.basis.float()
    away = (centred - centred @ basis @ basis.T).norm(dim=1) / centred.norm(dim=1)
    assert away[:40].mean() < 0.8 * away[40:].mean()
    weights = counts.double() ** 0.7
    left = (weights * (centred - centred @ basis @ basis.T).double().pow(2).sum(1)).sum()
    assert found.lost == pytest.approx(float(left / (weights * centred.pow(2).sum(1)).sum()), 1e-3)


@pytest.fixture(scope="module")
def small(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an encoder that declares its vectors."""
    base = tmp_path_factory.mktemp("declares") / "base"
    shutil.copytree(tiny_base, base)
    declare_vectors(SentenceVectors("cls", "query: ", "passage: "), base, base)
    out = base.parent / "out"
    facts = make(base, LINES, out, width=24)
    pieces = tokenization.load(tiny_base).get_vocab_size()
    assert (facts["pieces"], facts["width"]) == (pieces, 24)
    before, after = facts["parameters before"], facts["parameters"]
    assert isinstance(before, int) and isinstance(after, int)
    assert before - after == pytest.approx(40 * pieces, rel=0.3)  # the pooler too
    assert 0 < float(facts["variance lost %"]) < 60
    return out


def test_tokenizer_and_vectors_stay(small: Path, tiny_base: Path) -> None:
    assert tokenization.load(small).to_str() == tokenization.load(tiny_base).to_str()
    texts = ("Der Hund schläft.", "The dog.")
    assert tokenizer_of(small)(*texts) == tokenizer_of(tiny_base)(*texts)
    declared = declared_by(small)
    assert (declared.prefix, declared.pooling) == ("query: ", "cls")
    pooling = json.loads((small / "1_Pooling/config.json").read_text("utf-8"))
    assert pooling["word_embedding_dimension"] == 64
    config, before = read_config(small), read_config(tiny_base)
    assert (config["embedding_size"], config["hidden_size"]) == (24, 64)
    assert config["max_position_embeddings"] == before["max_position_embeddings"] - 2
    assert f"{config['vocab_size']} pieces of 24 numbers" in (small / "README.md").read_text(
        "utf-8"
    )


def test_it_opens_and_is_near_what_it_was(small: Path, tiny_base: Path) -> None:
    ids = torch.tensor([tokenization.load(small).encode("Der Hund schläft.").ids])
    with torch.no_grad():
        own, whole = (load_checkpoint(path)(ids).last_hidden_state for path in (small, tiny_base))
    assert torch.nn.functional.cosine_similarity(own, whole, dim=-1).mean() > 0.65


def test_what_cannot_be_factored_is_refused(
    small: Path, tiny_base: Path, tiny_nli: Path, tmp_path: Path
) -> None:
    for model, lines, width, message in (
        (tiny_base, LINES, 64, r"width: 64: the model is 64 wide; give fewer"),
        (tiny_base, [" "], 24, r"no text in which pieces are counted"),
        (tiny_nli, LINES, 24, r"has a pair head, .*give the encoder.*\(heads that stay: tagging, "),
        (small, LINES, 16, r"its word embeddings are 24 wide and its layers 64: it is factored"),
    ):
        with pytest.raises(FactorError, match=message):
            make(model, lines, tmp_path, width=width)


def checked(model: Artifact) -> Artifact:
    config = factor.Config(name="f", stage="factor", model="m", width=24)
    return factor.check(config, {"model": [model]})


def test_check_knows_what_it_gives() -> None:
    given = checked(Artifact("checkpoint", family="xlm-roberta", tokenizer="t"))
    assert (given.family, given.task, given.tokenizer) == ("electra", None, "t")
    assert checked(Artifact("checkpoint", family="bert", task="udpos")).task == "udpos"
    assert checked(Artifact("checkpoint", family="electra", task="xnli")).task == "xnli"
    for family, task, message in (
        ("modernbert", None, "of the type modernbert; .* of the types bert, electra, roberta, xlm"),
        ("xlm-roberta", "xnli", "has a pair head, which ELECTRA computes in another way"),
        ("xlm-roberta", "xcopa", "has a choice head"),
    ):
        with pytest.raises(StageInputError, match=message):
            checked(Artifact("checkpoint", family=family, task=task))


@pytest.mark.parametrize("name", FAMILIES)
def test_plan_counts_its_parameters(name: str) -> None:
    model = tiny_model(name, "tagging", **full_width(name))
    small, _ = factored(model, "tagging", torch.ones(60), width=24)
    raw: dict[str, Any] = tiny_config(name, **full_width(name)).to_dict()
    config = factor.Config(name="f", stage="factor", model="m", width=24)
    models = {"model": (PlannedModel(plain_config(raw), "tagging"),)}
    shape = factor.planned(config, models).shape()
    assert shape.words == 60 * 24
    found = sum(parameter.numel() for parameter in small.parameters())
    assert shape.parameters == pytest.approx(found, rel=0.01)
    assert factor.memory(config, models).total > 4 * found
    assert entries(plain_config(raw), 24)["max_position_embeddings"] == (
        small.config.max_position_embeddings
    )


def test_what_is_made_of_it(tiny_base: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "r.yaml"
    quick = "max_steps: 2, batch_size: 8, max_length: 32, compute: fp32"
    recipe.write_text(
        "name: r\nsource: embedded\nseed: 1\nstages:\n"
        f"  - {{name: factored, stage: factor, model: {tiny_base}, width: 24, languages: [de]}}\n"
        f"  - {{name: student, stage: distill, teacher: {tiny_base}, student: factored, logits: 0,"
        f" hidden: 1, sentences: 1, max_pairs: 40, probe: 0, {quick}}}\n"
        "  - {name: nli, stage: train, model: student, tasks: [xnli], method: full, "
        f"max_examples: 64, {quick}}}\n"
        "  - {name: trimmed, stage: trim, model: nli, languages: [de, en], probe: 0}\n"
        "  - {name: int8, stage: export, model: trimmed, precision: int8, probe: 4, "
        "min_agreement: 0, probe_task: xnli, embeddings: int8}\n"
    )
    made = {one.label: one for one in run_recipe(str(recipe), workspace=tmp_path / "w").stages}
    assert made["factored"].record.summary["width"] == 24
    for name in ("student", "nli", "trimmed", "int8"):
        config = read_config(made[name].path)
        assert (config["model_type"], config["embedding_size"]) == ("electra", 24)
    from evalsuite.inference.predict_lines import predict_lines

    (said,) = predict_lines(made["int8"].path, ["A man is reading.\tNobody reads."])
    assert said["label"] in ("entailment", "neutral", "contradiction")
