"""Vocabularies that are trained: their layout, Han characters, long words, capital letters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalsuite import tokenization
from evalsuite.data.embedded import generate as embedded
from evalsuite.errors import DataError
from transfer.text import vocabulary


def test_a_vocabulary_has_the_layout_of_xlmr(tmp_path: Path) -> None:
    lines = [row.foreign for row in embedded.parallel("train", "sw")[:300]]
    tokenizer = vocabulary.train_unigram(lines, 500)
    assert [tokenizer.token_to_id(t) for t in ("<s>", "<pad>", "</s>", "<unk>")] == [0, 1, 2, 3]
    assert tokenizer.token_to_id("<mask>") == tokenizer.get_vocab_size() - 1
    again = vocabulary.train_unigram(lines, 500)
    assert again.to_str() == tokenizer.to_str()
    vocabulary.save(tokenizer, tmp_path, 64)
    from transformers import AutoTokenizer

    plain = AutoTokenizer.from_pretrained(tmp_path)
    text = "Ａmina anasoma  gazeti."  # a full-width letter: the normalizer must survive
    assert plain(text)["input_ids"] == tokenizer.encode(text).ids
    assert plain(text, text)["input_ids"] == tokenizer.encode(text, text).ids


@pytest.mark.parametrize("count", [100, 150, 200, 390])
def test_long_words_that_are_frequent_have_pieces(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "_add_words", lambda *_: None)  # as in a full vocabulary
    word = "ответственность"
    lines = [f"{word} {other}" for other in ("дом", "домик", "сад", "садик", word)] * (count // 6)
    tokenizer = vocabulary.train_unigram(lines, 300)
    assert tokenizer.encode(word, add_special_tokens=False).tokens == [f"▁{word}"]


def test_han_characters_are_words_or_joined_in_pieces() -> None:
    lines = ["我们在北京喝茶。", "我们在上海喝茶。", "他们在北京工作。", "我们在北京工作。"] * 30
    apart, joined = (vocabulary.train_unigram(lines, 80, join_han=join) for join in (False, True))
    text = "我们在北京工作。"
    assert apart.encode(text).tokens[1:-1] == [f"▁{character}" for character in text]
    assert len(joined.encode(text).tokens) < len(text)


@pytest.mark.parametrize("case", ["keep", "lower", "mark"])
def test_letters_keep_their_case_or_lose_it_or_have_it_marked(case: Any, tmp_path: Path) -> None:
    lines = ["Rom rom", "(Rom) l'Rom rom.", 'rom-Rom "Rom"', "ROM Rom rom"] * 20
    vocabulary.save(vocabulary.train_unigram(lines, 60, case), tmp_path, 64)
    tokenizer = tokenization.load(tmp_path)

    def pieces(text: str) -> list[str]:
        return list(tokenizer.encode(text, add_special_tokens=False).tokens)

    capitals = {"Rom rom": 1, "rom (Rom)": 1, " Rom-Rom": 2, "'Rom' ROM": 2, "rom": 0, "": 0}
    for text, count in capitals.items():
        found = pieces(text)
        assert found.count("▁⇧") == (count if case == "mark" else 0)
        assert any(piece.lower() != piece for piece in found) == (case == "keep" and count > 0)
        assert "<unk>" not in found
    assert (pieces("Rom") == pieces("rom")) == (case == "lower")
    assert (pieces("Rom") == ["▁⇧", *pieces("rom")]) == (case == "mark")


def test_a_vocabulary_below_the_characters_of_the_text_is_refused() -> None:
    lines = ["".join(chr(0x4E00 + row * 7 + place) for place in range(7)) for row in range(60)]
    with pytest.raises(DataError, match=r"vocabulary: 64 pieces .* set vocabulary: 428 or more"):
        vocabulary.train_unigram(lines, 64)
    assert vocabulary.train_unigram(lines, 428).get_vocab_size() <= 428
