"""The stage `restore`: a vocabulary cut for training, and whole again for all languages."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from checkpoints import small

from compress.errors import TrimError
from compress.trim.restore import restore as restored
from compress.trim.trim import trim
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.opening.tokenizer import tokenizer_json
from evalsuite.retrieval.declared_vectors import PROMPTS
from recipes.errors import RecipeError, StageInputError
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.model_shapes import planned_inputs
from recipes.planning.plan import make_plan
from recipes.planning.source_text import SourceText
from recipes.stages import restore
from recipes.stages._shared.contract import Artifact

Cli = Callable[..., tuple[str, str]]
RECIPE = """
name: again
source: embedded
stages:
  - {name: short, stage: trim, model: ./base, languages: [en], probe: 0}
  - {name: tuned, stage: train, model: short, tasks: [xnli], method: full, freeze_embeddings: true,
     max_steps: 3, batch_size: 8, max_length: 48, max_examples: 60, compute: fp32}
  - {name: whole, stage: restore, model: tuned, original: ./base, trimmed: short}
  - {name: scores, stage: evaluate, models: [tuned, whole], tasks: [xnli], languages: [en, ru],
     max_examples: 12}
"""


@pytest.fixture
def here(tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "base").symlink_to(tiny_base)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.yaml").write_text(RECIPE)
    return tmp_path


def test_a_model_trained_on_few_pieces_has_all_of_them_again(
    here: Path, tiny_base: Path, cli: Cli
) -> None:
    from safetensors.numpy import load_file

    cli(0, "run", "r.yaml", "--workspace", "space")
    stages = Path("space/stages")
    (tuned,), (whole,) = (list(stages.glob(f"{kind}-*")) for kind in ("train", "restore"))
    before, after = (load_file(folder / "model.safetensors") for folder in (tuned, whole))
    words = "roberta.embeddings.word_embeddings.weight"
    assert all(np.array_equal(before[name], after[name]) for name in before if name != words)
    assert np.array_equal(after[words], load_file(tiny_base / "model.safetensors")[words])
    assert read_config(whole)["vocab_size"] == read_config(tiny_base)["vocab_size"]
    assert read_config(tuned)["vocab_size"] < read_config(whole)["vocab_size"]


def test_plan_knows_how_many_pieces_there_are_again(here: Path, tiny_base: Path) -> None:
    plan = make_plan(load("r.yaml"), None, DigestMemo(), keys=False)
    models = {stage.label: inputs for stage, inputs, _ in planned_inputs(plan)}
    last = models["scores"]["models"][-1]
    assert last.shape().vocabulary == read_config(tiny_base)["vocab_size"]


def test_an_original_of_another_family_or_an_adapter_is_refused() -> None:
    model, other = (Artifact("checkpoint", family=name) for name in ("bert", "xlm-roberta"))
    config = restore.Config(name="w", stage="restore", model="m", original="o", trimmed="t")
    assert restore.check(config, {"model": (model,), "original": (model,)}).kind == "checkpoint"
    with pytest.raises(StageInputError, match="original: is a xlm-roberta, and the model a bert"):
        restore.check(config, {"model": (model,), "original": (other,)})
    with pytest.raises(StageInputError, match="model: needs a checkpoint, is given an adapter"):
        restore.check(config, {"model": (Artifact("adapter"),), "original": (other,)})


def test_narrower_rows_are_not_put_into_wider_ones(here: Path, tmp_path: Path) -> None:
    student = "stage: distill, teacher: short, tasks: [], width: 32, hidden: 0, relations: 1"
    text = RECIPE.replace(
        "  - {name: tuned,", f"  - {{name: narrow, {student}}}\n  - {{name: tuned,"
    )
    (here / "r.yaml").write_text(text.replace("model: short, tasks", "model: narrow, tasks"))
    with pytest.raises(RecipeError, match="has 32 numbers per piece, and the original 64; restore"):
        make_plan(load("r.yaml"), None, DigestMemo(), keys=False)
    narrow = small(tmp_path / "narrow")
    record = {"old_ids": list(range(read_config(narrow)["vocab_size"])), "tokenizer_before": ""}
    original = here / "base"
    record["tokenizer_before"] = sha256(tokenizer_json(original).encode()).hexdigest()
    (narrow / "trim.json").write_text(json.dumps(record))
    with pytest.raises(TrimError, match=r"32 numbers per piece in .*, and 64 in .*; restore "):
        restored(narrow, original, tmp_path / "out")


def test_vectors_are_declared_as_the_trained_model_declares_them(
    tiny_base: Path, tmp_path: Path
) -> None:
    short, out = tmp_path / "short", tmp_path / "out"
    trim(tiny_base, short, {"en": ["It rains in the town."]})
    (short / PROMPTS).write_text(json.dumps({"prompts": {"query": "q: "}}))
    restored(short, tiny_base, out)
    assert json.loads((out / PROMPTS).read_text()) == {"prompts": {"query": "q: "}}


def test_the_trimmed_checkpoint_is_named(here: Path) -> None:
    (here / "r.yaml").write_text(RECIPE.replace(", trimmed: short", ""))
    with pytest.raises(RecipeError, match="the key 'trimmed' is missing"):
        make_plan(load("r.yaml"), None, DigestMemo(), keys=False)


def test_a_vocabulary_of_english_alone_is_planned(here: Path) -> None:
    plan = make_plan(load("r.yaml"), None, DigestMemo(), keys=False)
    text = SourceText(plan.data)
    models = {stage.label: inputs for stage, inputs, _ in planned_inputs(plan, text)}
    (short,) = models["tuned"]["model"]
    assert 100 < short.shape().vocabulary < 3000
    rows = text.parallel(models["short"]["model"][0], ["en"], 50)
    assert rows.total > 0
