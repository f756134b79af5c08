"""Pieces are chosen by the text and by the tokenizer's own scores."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import Unigram

from compress.errors import TrimError
from compress.trim.prior import expected
from compress.trim.registry import KINDS
from compress.trim.trim import trim
from evalsuite import tokenization
from recipes.stages import trim as stage
from tests.support.harmed import write_small

_COUNTS = {1: 90, 2: 9, 3: 1}
_SCORES = {1: -12.0, 2: -9.0, 3: -6.0, 4: -1.0}


def test_no_weight_is_the_text_and_the_whole_weight_the_scores() -> None:
    assert expected(_COUNTS, _SCORES, 0) == pytest.approx({1: 0.9, 2: 0.09, 3: 0.01})
    total = sum(math.exp(_SCORES[piece]) for piece in _COUNTS)
    by_scores = {piece: math.exp(_SCORES[piece]) / total for piece in _COUNTS}
    assert expected(_COUNTS, _SCORES, 1) == pytest.approx(by_scores)
    half = expected(_COUNTS, _SCORES, 0.5)
    assert half[3] / half[1] == pytest.approx(math.sqrt(1 / 90 * math.exp(6)))
    assert expected({}, _SCORES, 0.5) == {}


@given(
    st.dictionaries(st.integers(0, 9), st.integers(1, 10**9), min_size=1),
    st.lists(st.floats(-700, 0), min_size=10, max_size=10),
    st.floats(0, 1),
)
def test_shares_sum_to_one_whatever_the_scores(
    counts: dict[int, int], scores: list[float], weight: float
) -> None:
    found = expected(counts, dict(enumerate(scores)), weight)
    assert sum(found.values()) == pytest.approx(1.0)
    assert list(found) == list(counts) and all(share >= 0 for share in found.values())


def _kept(directory: Path, out: Path, prior: float) -> set[str]:
    """Words of the vocabulary; the text has five of them, three are kept."""
    text = {"en": ["file"] * 50 + ["menu"] * 40 + ["tool"] * 30 + ["hair", "kiss"]}
    trim(directory, out, text, most=35, prior=prior)
    return {piece for piece in tokenization.load(out).get_vocab() if len(piece) == 5}


def _with_words(out: Path) -> Path:
    """Everyday words have high scores, words of programs low ones; `cafe` is in no text."""
    write_small(out)
    tree = json.loads((out / "tokenizer.json").read_text())
    words = [("▁file", -6.0), ("▁menu", -12.0), ("▁tool", -12.5)]
    words += [("▁hair", -4.0), ("▁kiss", -4.5), ("▁cafe", -1.5)]
    old = tree["model"]["vocab"]
    letters = [[piece, 0.0 if place < 5 else -30.0] for place, (piece, _) in enumerate(old)]
    tree["model"]["vocab"] = letters + words
    tree["pre_tokenizer"] = {
        "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True,
    }  # fmt: skip
    (out / "tokenizer.json").write_text(json.dumps(tree))
    return out


def test_everyday_words_stay_where_the_text_is_of_one_domain(tmp_path: Path) -> None:
    model = _with_words(tmp_path / "model")
    by_text = _kept(model, tmp_path / "text", 0)
    both = _kept(model, tmp_path / "both", 0.5)
    assert "▁menu" in by_text and "▁kiss" not in by_text
    assert "▁kiss" in both and "▁hair" in both and "▁menu" not in both
    assert "▁cafe" not in both  # the text never has it


def test_vocabularies_without_scores_are_refused(tmp_path: Path) -> None:
    for name in KINDS.names():
        scores = KINDS.get(name).scores(json.loads(Tokenizer(Unigram()).to_str())["model"])
        assert (scores is None) == (name != "unigram")
    with pytest.raises(TrimError, match=r"prior: this tokenizer has no scores .*\nremove prior"):
        trim(_word_pieces(tmp_path), tmp_path / "out", {"en": ["a b"]}, most=30, prior=0.5)


def _word_pieces(folder: Path) -> Path:
    model = write_small(folder / "bert")
    vocabulary = {"[UNK]": 0, "[PAD]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "b": 5}
    from tokenizers.models import WordPiece

    Tokenizer(WordPiece(vocabulary, unk_token="[UNK]")).save(str(model / "tokenizer.json"))
    return model


def test_a_prior_without_a_limit_is_refused() -> None:
    keys = {"name": "a", "stage": "trim", "model": "m", "languages": ["sw"]}
    with pytest.raises(ValidationError, match="set max_pieces or coverage too"):
        stage.Config(**keys, prior=0.5)
    assert stage.Config(**keys, prior=0.5, coverage=0.9).prior == 0.5
    plain = stage.Config(**keys, prior=0).model_dump()
    assert plain == stage.Config(**keys).model_dump() and "prior" not in plain


def test_rare_pieces_have_no_share(tmp_path: Path) -> None:
    model = _with_words(tmp_path / "model")
    text = {"en": ["file"] * 5 + ["kiss"]}
    trim(model, tmp_path / "out", text, most=40, prior=0.5, min_count=2)
    kept = tokenization.load(tmp_path / "out").get_vocab()
    assert "▁file" in kept and "▁kiss" not in kept


def test_special_tokens_have_no_share(tmp_path: Path) -> None:
    """Their scores are no probabilities: 0 would be one of 1, and some have none."""
    model = _with_words(tmp_path / "model")
    tree = json.loads((model / "tokenizer.json").read_text())
    beyond = {"id": len(tree["model"]["vocab"]), "content": "[MASK]", "special": True}
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    tree["added_tokens"] = [*(tree["added_tokens"] or ()), {**beyond, **flags}]
    (model / "tokenizer.json").write_text(json.dumps(tree))
    config = json.loads((model / "config.json").read_text())
    weights = load_file(model / "model.safetensors")
    (name,) = [name for name in weights if name.endswith("word_embeddings.weight")]
    size = beyond["id"] + 1
    weights[name] = torch.cat([weights[name], weights[name]])[:size].contiguous()
    save_file(weights, model / "model.safetensors", {"format": "pt"})
    (model / "config.json").write_text(json.dumps({**config, "vocab_size": size}))
    words = ["file"] * 50 + ["menu"] * 40 + ["tool"] * 30 + ["hair", "kiss"]
    kept = {}
    for name, more in (("plain", []), ("masked", ["[MASK]"] * 9), ("unknown", ["\U0001f9ff"] * 9)):
        trim(model, tmp_path / name, {"en": words + more}, coverage=0.9, prior=0.5)
        kept[name] = tokenization.load(tmp_path / name).get_vocab().keys()
    assert kept["plain"] == kept["masked"] == kept["unknown"]
    assert "[MASK]" in kept["plain"] and "▁kiss" in kept["plain"]
