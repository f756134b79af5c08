"""An English encoder learns languages: whole runs of `extend` on the embedded text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

from evalsuite import tokenization
from evalsuite.data import parallel
from evalsuite.errors import DataError, ModelError
from evalsuite.inference.open_model import open_model
from evalsuite.task import DataSource
from recipes.errors import StageInputError
from recipes.stages import extend as stage
from recipes.stages._shared.contract import Artifact
from transfer.extend.extend import Options, extend
from transfer.models.to_xlmr import load_english
from transfer.registry import TEACHERS
from transfer.sentence_teacher import Teacher

EMBEDDED = DataSource("embedded")
QUICK = {
    "name": "base",
    "stage": "extend",
    "model": "./english",
    "store": "fp32",
    "vocabulary": 1500,
    "vocabulary_lines": 2000,
    "languages": ("de", "sw"),
    "prose": False,
    "steps": 8,
    "batch_size": 8,
    "max_length": 40,
    "max_pairs": 200,
    "held_out": 10,
    "learning_rate": 1e-3,
    "compute": "fp32",
    "sentences": 1.0,
    "tlm": 0.0,
    "mlm": 0.0,
}


def options(**changes: Any) -> Options:
    """A training of a second, with changes to the stage's config."""
    context: Any = SimpleNamespace(seed=1)  # nothing is tracked, so nothing else is read
    return stage.options(stage.Config.model_validate(QUICK | changes), context)


def test_extending_teaches_languages(tiny_english: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    learn = options(steps=96, batch_size=64, init="random", max_pairs=None, learning_rate=5e-3)
    _, facts = extend(tiny_english, EMBEDDED, learn, work=tmp_path / "work", out=out)
    curve = json.loads((out / "curve.json").read_text())
    assert [point["step"] for point in curve] == [12 * n for n in range(1, 9)]
    assert curve[-1]["tokens"] == facts["tokens seen"]
    retrieval = [point["held-out retrieval"] for point in curve]
    assert retrieval[-1] > retrieval[0] + 30  # of 20 candidates

    model, tokenizer = AutoModel.from_pretrained(out), AutoTokenizer.from_pretrained(out)
    assert type(model).__name__ == "XLMRobertaModel"
    batch = tokenizer("Guten Morgen", return_tensors="pt")
    assert model(**batch).last_hidden_state.shape[-1] == 32
    assert "layers from: " in (out / "README.md").read_text()


def test_the_lexical_start_finds_translations_untrained(tiny_english: Path, tmp_path: Path) -> None:
    found = []
    for start in ("random", "lexical"):
        still = options(init=start, max_pairs=None, learning_rate=1e-9)
        work = tmp_path / start
        _, facts = extend(tiny_english, EMBEDDED, still, work=work, out=work / "out")
        found.append(facts["held-out retrieval"])
    assert found[1] > found[0] + 30  # percent of 20 candidates


@pytest.mark.parametrize(
    "changes",
    [
        {"sentences": 0.0, "tlm": 1.0},
        {"sentences": 1.0, "tlm": 1.0, "init": "random", "case": "keep"},
        {"freeze_body": True, "contrast": 0.0, "store": "fp16"},
    ],
    ids=str,
)
def test_every_way_to_extend(tiny_english: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    out = tmp_path / "out"
    extend(tiny_english, EMBEDDED, options(**changes), work=tmp_path / "work", out=out)
    assert open_model(out).describe("it").precision == "fp32"  # fp16 is for the disk
    model, original = AutoModel.from_pretrained(out), load_english(tiny_english)
    assert model.dtype == (torch.float16 if changes.get("store") == "fp16" else torch.float32)
    name = "encoder.layer.1.output.dense.weight"
    moved = float((model.state_dict()[name].float() - original.state_dict()[name]).abs().max())
    assert (moved < 1e-3) == changes.get("freeze_body", False)
    capital, small = (tokenization.load(out).encode(word).tokens for word in ("Hund", "hund"))
    assert (capital == ["<s>", "▁⇧", *small[1:]]) == (changes.get("case") is None)


def test_a_second_teacher_gives_lines_and_words(
    tiny_english: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def program() -> Callable[[Sequence[str]], np.ndarray]:
        def embed(lines: Sequence[str]) -> np.ndarray:
            asked.extend(lines)
            angle = np.array([len(line) for line in lines])
            return np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)

        return embed

    fake = Teacher("json", "nothing", ("de", "en"), 3, program)
    monkeypatch.setattr(TEACHERS, "get", lambda name: fake)
    chosen = options(second_teacher="fake", lines=0.5, words=0.5, sentences=0.0, steps=12)
    out = tmp_path / "out"
    extend(tiny_english, EMBEDDED, chosen, work=tmp_path / "work", out=out)
    names = set(load_file(out / "model.safetensors"))
    assert names and not any("head" in name and "lm_head" not in name for name in names)

    def lines(language: str) -> set[str]:
        return {pair.foreign for pair in parallel.pairs(EMBEDDED, language)}

    assert set(asked) & lines("de") and not set(asked) & lines("sw")
    words = [line for line in asked if " " not in line]
    assert len(words) > 10 and all(word == word.lower() for word in words)


def test_a_killed_extension_goes_on(tiny_english: Path, tmp_path: Path) -> None:
    mixed = options(tlm=0.5, save_every=1e-9)
    _, whole = extend(tiny_english, EMBEDDED, mixed, work=tmp_path / "a", out=tmp_path / "whole")

    def stop(fraction: float, text: str) -> None:
        if text.startswith("step 5 of "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extend(
            tiny_english, EMBEDDED, mixed, work=tmp_path / "b", out=tmp_path / "c", progress=stop
        )
    _, resumed = extend(tiny_english, EMBEDDED, mixed, work=tmp_path / "b", out=tmp_path / "c")
    weights = [(tmp_path / d / "model.safetensors").read_bytes() for d in ("whole", "c")]
    assert weights[0] == weights[1]
    curves = [(tmp_path / d / "curve.json").read_text() for d in ("whole", "c")]
    assert curves[0] == curves[1] and len(json.loads(curves[0])) == 8
    assert whole["final loss"] == resumed["final loss"]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"max_length": 97}, ModelError, "max_length: 97, but the English encoder has 96 posi"),
        ({"max_length": 49, "tlm": 1}, ModelError, "max_length: 49, and pairs twice that, but"),
        ({"sentences": 0, "mlm": 1}, DataError, "no text for any of the objectives"),
    ],
)
def test_what_cannot_be_learnt(
    tiny_english: Path,
    tmp_path: Path,
    changes: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        extend(tiny_english, EMBEDDED, options(**changes), work=tmp_path / "w", out=tmp_path / "o")


def test_an_encoder_of_another_kind_is_refused_before_anything_is_learnt(
    tiny_english: Path, tiny_base: Path, tmp_path: Path
) -> None:
    """Another family, and a BERT with the tokenizer of an XLM-R."""
    config = stage.Config.model_validate(QUICK)
    stage.check(config, {"model": (Artifact("checkpoint", family="bert"),)})
    with pytest.raises(StageInputError, match="model: is of the family xlm-roberta; extend needs"):
        stage.check(config, {"model": (Artifact("checkpoint", family="xlm-roberta"),)})
    mixed = tmp_path / "mixed"
    english = AutoModel.from_pretrained(tiny_english)
    english.resize_token_embeddings(tokenization.load(tiny_base).get_vocab_size())
    english.save_pretrained(mixed)
    shutil.copy(tiny_base / "tokenizer.json", mixed)
    with pytest.raises(ModelError, match=r"tokenizer of mixed has no \[CLS\], \[PAD\], \[SEP\]"):
        extend(mixed, EMBEDDED, options(), work=tmp_path / "w", out=tmp_path / "o")
    assert not (tmp_path / "w").exists()
